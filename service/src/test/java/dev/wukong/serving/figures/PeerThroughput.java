package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.serving.figures.LoadedServer.Capacity;
import dev.wukong.serving.figures.PeerSweep.Tried;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** By pair: the capacities of this server's two doors and of a peer. One thread. */
final class PeerThroughput {
  private static final String TARGET = ">=2.0";

  private final LoadModel model;
  private final Tried peer;
  private final List<Capacity> predict = new ArrayList<>();
  private final List<Capacity> infer = new ArrayList<>();
  private final List<Capacity> theirs = new ArrayList<>();
  private double idle;

  PeerThroughput(LoadModel model, Tried peer) {
    this.model = model;
    this.peer = peer;
  }

  /**
   * Adds a pair.
   *
   * @param predict this server's by its own protocol
   * @param infer the same by the peer's
   * @param idle the share of the core that the peer takes without a load
   */
  void add(Capacity predict, Capacity infer, Capacity theirs, double idle) {
    this.predict.add(predict);
    this.infer.add(infer);
    this.theirs.add(theirs);
    this.idle = Math.max(this.idle, idle);
  }

  /** Fails if either side got less of its core: then other tenants were measured. */
  void requireCores(double least) throws BenchmarkException {
    double own = median(predict, Capacity::busy);
    double their = median(theirs, Capacity::busy);
    if (Math.min(own, their) < least) {
      throw new BenchmarkException(
          ("void: at capacity this server got %.0f %% of its core and %s %.0f %%; %.0f %% are"
                  + " needed (option busy)")
              .formatted(own * 100, peer.text(), their * 100, least * 100));
    }
  }

  /** Half of the peer's capacity, in requests a second. */
  double halfRate() {
    return median(theirs, Capacity::requestsPerSecond) / 2;
  }

  /**
   * Rows a second by those of the peer.
   *
   * @param judged whether it has a target
   * @param difference the largest of all probabilities that were compared
   */
  Figure rows(String suffix, boolean judged, double difference) {
    double[] theirRows = values(theirs, Capacity::rowsPerSecond);
    double same =
        Figure.ratio("oip", values(infer, Capacity::rowsPerSecond), theirRows, "-").value();
    Figure figure =
        Figure.ratio(
            "rows_per_second_vs_best_peer" + suffix,
            values(predict, Capacity::rowsPerSecond),
            theirRows,
            judged ? TARGET : "-");
    return noted(
        figure,
        "rows/s of Predict and %s; %.2f by the peer's protocol; model %s, one core each;"
                .formatted(peer.text(), same, model.title())
            + " probabilities differ by %.1e at most; their core was busy for %.0f and %.0f %%"
                .formatted(
                    difference,
                    100 * median(predict, Capacity::busy),
                    100 * median(theirs, Capacity::busy))
            + " of the time, and for %.1f %% by the idle peer".formatted(100 * idle));
  }

  /** Processor time a row by that of the peer. */
  Figure cpu(String suffix) {
    Figure figure =
        Figure.ratio(
            "cpu_per_row_vs_best_peer" + suffix,
            values(predict, Capacity::cpuMicros),
            values(theirs, Capacity::cpuMicros),
            "-");
    return noted(
        figure,
        "us of the server's processor a row at capacity; %.3g by the peer's protocol"
            .formatted(median(infer, Capacity::cpuMicros)));
  }

  private static Figure noted(Figure figure, String note) {
    return Figure.of(
        figure.name(), figure.value(), "1", figure.target().text(), figure.note() + " " + note);
  }

  private static double median(List<Capacity> capacities, ToDoubleFunction<Capacity> value) {
    return Figure.median(values(capacities, value));
  }

  private static double[] values(List<Capacity> capacities, ToDoubleFunction<Capacity> value) {
    return capacities.stream().mapToDouble(value).toArray();
  }
}
