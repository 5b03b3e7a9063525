package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.serving.figures.LoadedServer.Capacity;
import dev.wukong.serving.figures.PeerSides.Ours;
import dev.wukong.serving.figures.PeerSides.Started;
import dev.wukong.serving.figures.PeerSweep.Tried;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

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
  private static final double Q = 0.99;

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
      Throughput throughput = throughput(ours, inFlight, best);
      Delay delay = delay(ours, quickest, throughput.rate());
      String suffix = judged ? "" : "_" + model.title();
      return List.of(
          throughput.rows(suffix, judged), delay.p99(suffix, judged), throughput.cpu(suffix));
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
              LoadedServer.quantile(
                  peer.server().latencies(rate, Math.max(seconds, LEAST_CALLS / rate)), Q);
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

  /** By pair: capacities of this server's two doors and of the peer. */
  private final class Throughput {
    final Tried peer;
    final List<Capacity> predict = new ArrayList<>();
    final List<Capacity> infer = new ArrayList<>();
    final List<Capacity> theirs = new ArrayList<>();
    double idle;

    Throughput(Tried peer) {
      this.peer = peer;
    }

    /** Fails if either side was short of its core: then the other tenants were measured. */
    void requireCores() throws BenchmarkException {
      double own = busy(predict);
      double their = busy(theirs);
      if (Math.min(own, their) < leastBusy) {
        throw new BenchmarkException(
            ("void: at capacity this server got %.0f %% of its core and %s %.0f %%; %.0f are"
                    + " needed (option busy)")
                .formatted(own * 100, peer.text(), their * 100, leastBusy * 100));
      }
    }

    private static double busy(List<Capacity> capacities) {
      return Figure.median(capacities.stream().mapToDouble(Capacity::busy).toArray());
    }

    /** Half of the peer's capacity, in requests a second. */
    double rate() {
      return Figure.median(theirs.stream().mapToDouble(Capacity::requestsPerSecond).toArray()) / 2;
    }

    Figure rows(String suffix, boolean judged) {
      Figure figure =
          Figure.ratio(
              "rows_per_second_vs_best_peer" + suffix, rate(predict), rate(theirs), ">=2.0");
      double own = Figure.ratio("oip", rate(infer), rate(theirs), "-").value();
      return noted(
          figure,
          judged ? ">=2.0" : "-",
          "rows/s of Predict and %s; %.2f by its own protocol, OIP; model %s, one core each;"
                  .formatted(peer.text(), own, model.title())
              + " probabilities differ by %.1e at most; their core was busy for %.0f and %.0f %%"
                  .formatted(sides.difference(), 100 * busy(predict), 100 * busy(theirs))
              + " of the time, and for %.1f %% by the idle peer".formatted(100 * idle));
    }

    Figure cpu(String suffix) {
      Figure figure =
          Figure.ratio("cpu_per_row_vs_best_peer" + suffix, cpu(predict), cpu(theirs), "-");
      return noted(
          figure,
          "-",
          "us of the server's processor a row at capacity; by OIP %.3g"
              .formatted(Figure.median(cpu(infer))));
    }

    private static double[] rate(List<Capacity> capacities) {
      return capacities.stream().mapToDouble(Capacity::rowsPerSecond).toArray();
    }

    private static double[] cpu(List<Capacity> capacities) {
      return capacities.stream().mapToDouble(Capacity::cpuMicros).toArray();
    }
  }

  private Throughput throughput(Ours ours, int inFlight, Tried best) throws Exception {
    Throughput all = new Throughput(best);
    try (Started peer = sides.start(best.kind(), best.settings())) {
      peer.server().capacity(best.capacity().inFlight(), seconds / 2);
      for (int i = 0; i < pairs; i++) {
        Map<Long, Double> before = peer.server().tree().cpuSeconds();
        long start = System.nanoTime();
        all.predict.add(ours.predict().capacity(inFlight, seconds));
        all.idle =
            peer.server().tree().cpuSecondsSince(before) / ((System.nanoTime() - start) / 1e9);
        all.theirs.add(peer.server().capacity(best.capacity().inFlight(), seconds));
        all.infer.add(ours.infer().capacity(inFlight, seconds));
        say(
            "pair %d: %.0f rows/s, %.2f us a row; by OIP %.0f, %.2f; %s %.0f, %.2f"
                .formatted(
                    i + 1,
                    all.predict.getLast().rowsPerSecond(),
                    all.predict.getLast().cpuMicros(),
                    all.infer.getLast().rowsPerSecond(),
                    all.infer.getLast().cpuMicros(),
                    best.text(),
                    all.theirs.getLast().rowsPerSecond(),
                    all.theirs.getLast().cpuMicros()));
      }
    }
    all.requireCores();
    return all;
  }

  /** By pair: p99 in milliseconds; all latencies together. */
  private final class Delay {
    final Tried peer;
    final double rate;
    final double[] predict = new double[pairs];
    double infer;
    final double[] theirs = new double[pairs];
    long[] allOurs = new long[0];
    long[] allTheirs = new long[0];

    Delay(Tried peer, double rate) {
      this.peer = peer;
      this.rate = rate;
    }

    Figure p99(String suffix, boolean judged) {
      return noted(
          Figure.ratio("p99_vs_best_peer_half_load" + suffix, predict, theirs, "<=0.5"),
          judged ? "<=0.5" : "-",
          ("ms of Predict and %s at %.1f requests/s; of all %d and %d calls p50 %.2f and %.2f, p99"
                  + " %.2f and %.2f; by OIP %.2f ms; model %s")
              .formatted(
                  peer.text(),
                  rate,
                  allOurs.length,
                  allTheirs.length,
                  LoadedServer.quantile(allOurs, 0.5),
                  LoadedServer.quantile(allTheirs, 0.5),
                  LoadedServer.quantile(allOurs, Q),
                  LoadedServer.quantile(allTheirs, Q),
                  infer,
                  model.title()));
    }
  }

  private Delay delay(Ours ours, Tried quickest, double rate) throws Exception {
    Delay all = new Delay(quickest, rate);
    // So long that all pairs together send every distinct request at least once.
    double each = Math.max(seconds, ALL_REQUESTS / rate / pairs * 1.1);
    try (Started peer = sides.start(quickest.kind(), quickest.settings())) {
      peer.server().capacity(2, seconds / 2);
      for (int i = 0; i < pairs; i++) {
        long[] own = ours.predict().latencies(rate, each);
        long[] their = peer.server().latencies(rate, each);
        all.predict[i] = LoadedServer.quantile(own, Q);
        all.theirs[i] = LoadedServer.quantile(their, Q);
        all.allOurs = merged(all.allOurs, own);
        all.allTheirs = merged(all.allTheirs, their);
        say(
            "pair %d at %.1f requests/s: p99 %.2f ms; %s %.2f"
                .formatted(i + 1, rate, all.predict[i], quickest.text(), all.theirs[i]));
      }
      all.infer = LoadedServer.quantile(ours.infer().latencies(rate, each), Q);
    }
    return all;
  }

  private static long[] merged(long[] some, long[] others) {
    return LongStream.concat(Arrays.stream(some), Arrays.stream(others)).sorted().toArray();
  }

  private static Figure noted(Figure figure, String target, String note) {
    return Figure.of(figure.name(), figure.value(), "1", target, figure.note() + " " + note);
  }

  private void say(String line) {
    context.progress().println(model.title() + ", " + line);
    context.progress().flush();
  }
}
