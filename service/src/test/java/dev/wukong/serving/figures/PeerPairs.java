package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.serving.figures.LoadedServer.Capacity;
import dev.wukong.serving.figures.PeerSides.Ours;
import dev.wukong.serving.figures.PeerSides.Started;
import dev.wukong.serving.figures.PeerSweep.Tried;
import java.util.List;
import java.util.Map;

/**
 * This server and the best peer by turns, on one core: at their capacities, and both at half of the
 * peer's. One thread.
 */
final class PeerPairs {
  /** A peer below this share of the best one's capacity is not asked at half of that. */
  private static final double MEETS = 0.6;

  /** Settings of one peer among which the quickest is looked for. */
  private static final int QUICKEST_OF = 2;

  private static final int[] IN_FLIGHT = {2, 4, 8};
  private static final double LEAST_CALLS = 200;
  private static final double ALL_REQUESTS = 1000;

  private final BenchmarkContext context;
  private final LoadModel model;
  private final PeerSides sides;
  private final List<Tried> tried;
  private final int pairs;
  private final double seconds;
  private final double warmSeconds;
  private final double leastBusy;

  /**
   * Pairs with the best of {@code tried}.
   *
   * @param tried the largest capacity first
   * @param leastBusy the share of its core that a server at its capacity must get
   */
  PeerPairs(
      BenchmarkContext context,
      LoadModel model,
      PeerSides sides,
      List<Tried> tried,
      double leastBusy)
      throws BenchmarkException {
    this.context = context;
    this.model = model;
    this.sides = sides;
    this.tried = tried;
    this.leastBusy = leastBusy;
    this.pairs = (int) context.option("pairs", 3);
    this.seconds = context.option("seconds", 6);
    this.warmSeconds = context.option("warm", 40);
  }

  /**
   * The three figures.
   *
   * @param judged whether they have the targets, or the model in their names
   */
  List<Figure> figures(boolean judged) throws Exception {
    Tried best = tried.getFirst();
    double rate = best.capacity().requestsPerSecond() / 2;
    Tried quickest = quickest(rate);
    try (Ours ours = sides.ours()) {
      say("warming up");
      ours.predict().capacity(IN_FLIGHT[0], warmSeconds);
      ours.infer().capacity(IN_FLIGHT[0], warmSeconds / 4);
      int inFlight = ours.predict().best(IN_FLIGHT, seconds / 2).inFlight();
      PeerThroughput throughput = throughput(ours, inFlight, best);
      PeerDelay delay = delay(ours, quickest, throughput.halfRate());
      String suffix = judged ? "" : "_" + model.title();
      return List.of(
          throughput.rows(suffix, judged, sides.difference()),
          delay.p99(suffix, judged),
          throughput.cpu(suffix));
    }
  }

  /** The settings that answer a load which is the same for all soonest. */
  private Tried quickest(double rate) throws Exception {
    Tried quickest = tried.getFirst();
    double least = Double.MAX_VALUE;
    for (PeerKind kind : PeerKind.values()) {
      for (Tried one : tried.stream().filter(t -> t.kind() == kind).limit(QUICKEST_OF).toList()) {
        if (one.capacity().requestsPerSecond() < 2 * MEETS * rate) {
          continue;
        }
        try (Started peer = sides.start(one.kind(), one.settings())) {
          peer.server().capacity(2, seconds / 2);
          double p99 =
              CallFigures.quantile(
                  peer.server().latencies(rate, Math.max(seconds, LEAST_CALLS / rate)),
                  PeerDelay.Q);
          say("%s at %.1f requests/s: p99 %.2f ms".formatted(one.text(), rate, p99));
          if (p99 < least) {
            least = p99;
            quickest = one;
          }
        } catch (BenchmarkException e) {
          say("%s: %s".formatted(one.text(), e.getMessage()));
        }
      }
    }
    return quickest;
  }

  private PeerThroughput throughput(Ours ours, int inFlight, Tried best) throws Exception {
    PeerThroughput all = new PeerThroughput(model, best);
    int theirs = best.capacity().inFlight();
    try (Started peer = sides.start(best.kind(), best.settings())) {
      peer.server().capacity(theirs, seconds / 2);
      for (int i = 0; i < pairs; i++) {
        Map<Long, Double> before = peer.server().tree().cpuSeconds();
        long start = System.nanoTime();
        Capacity predict = ours.predict().capacity(inFlight, seconds);
        double idle = peer.server().tree().cpuSecondsSince(before);
        double shareIdle = idle / ((System.nanoTime() - start) / 1e9);
        Capacity peers = peer.server().capacity(theirs, seconds);
        Capacity infer = ours.infer().capacity(inFlight, seconds);
        all.add(predict, infer, peers, shareIdle);
        say(
            "pair %d: %.0f rows/s, %.2f us a row; by OIP %.0f, %.2f; %s %.0f, %.2f"
                .formatted(
                    i + 1,
                    predict.rowsPerSecond(),
                    predict.cpuMicros(),
                    infer.rowsPerSecond(),
                    infer.cpuMicros(),
                    best.text(),
                    peers.rowsPerSecond(),
                    peers.cpuMicros()));
      }
    }
    all.requireCores(leastBusy);
    return all;
  }

  private PeerDelay delay(Ours ours, Tried quickest, double rate) throws Exception {
    PeerDelay all = new PeerDelay(model, quickest, rate);
    // So long that all pairs together send every distinct request at least once.
    double each = Math.max(seconds, ALL_REQUESTS / rate / pairs * 1.1);
    try (Started peer = sides.start(quickest.kind(), quickest.settings())) {
      peer.server().capacity(2, seconds / 2);
      for (int i = 0; i < pairs; i++) {
        all.add(ours.predict().latencies(rate, each), peer.server().latencies(rate, each));
        say("pair %d at half of the peer's capacity: %s".formatted(i + 1, all.last()));
      }
      all.infer(ours.infer().latencies(rate, Math.max(seconds, LEAST_CALLS / rate)));
    }
    return all;
  }

  private void say(String line) {
    context.progress().println(model.title() + ", " + line);
    context.progress().flush();
  }
}
