package dev.wukong.serving.figures;

/**
 * How a peer runs a model.
 *
 * @param instances of the model; 0: in the server's own process, where it knows a difference
 * @param threads of one run
 * @param joined the most requests of one run; 1: each alone, with its context once
 * @param delayMicros how long a request may wait for others to be joined with
 */
record PeerSettings(int instances, int threads, int joined, int delayMicros) {
  /** Each request alone. */
  static PeerSettings alone(int instances, int threads) {
    return new PeerSettings(instances, threads, 1, 0);
  }

  /** Requests together, in one instance on one thread. */
  static PeerSettings joined(int joined, int delayMicros) {
    return new PeerSettings(1, 1, joined, delayMicros);
  }

  /** Whether requests are joined, for which each candidate must bring its own context. */
  boolean batched() {
    return joined > 1;
  }

  /** For reports and the keys of kept results. */
  String text() {
    String all = "instances %d, threads %d".formatted(instances, threads);
    return batched() ? "%s, up to %d joined in %d us".formatted(all, joined, delayMicros) : all;
  }
}
