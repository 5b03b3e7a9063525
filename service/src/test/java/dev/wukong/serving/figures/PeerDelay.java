package dev.wukong.serving.figures;

import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.serving.figures.PeerSweep.Tried;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** By pair: latencies of this server and of a peer at one rate. One thread. */
final class PeerDelay {
  /** The quantile that is compared. */
  static final double Q = 0.99;

  private static final String TARGET = "<=0.5";

  private final LoadModel model;
  private final Tried peer;
  private final double rate;
  private final List<long[]> predict = new ArrayList<>();
  private final List<long[]> theirs = new ArrayList<>();
  private double infer;

  /**
   * No pairs yet.
   *
   * @param rate requests a second
   */
  PeerDelay(LoadModel model, Tried peer, double rate) {
    this.model = model;
    this.peer = peer;
    this.rate = rate;
  }

  /** Adds a pair: ascending nanoseconds of this server's Predict and of the peer. */
  void add(long[] predict, long[] theirs) {
    this.predict.add(predict);
    this.theirs.add(theirs);
  }

  /** Ascending nanoseconds of this server by the peer's protocol. */
  void infer(long[] nanos) {
    infer = CallFigures.quantile(nanos, Q);
  }

  /** The last pair, for people. */
  String last() {
    return "p99 %.2f ms; %s %.2f"
        .formatted(
            CallFigures.quantile(predict.getLast(), Q),
            peer.text(),
            CallFigures.quantile(theirs.getLast(), Q));
  }

  /**
   * This server's p99 by that of the peer.
   *
   * @param judged whether it has a target
   */
  Figure p99(String suffix, boolean judged) {
    Figure figure =
        Figure.ratio(
            "p99_vs_best_peer_half_load" + suffix,
            each(predict),
            each(theirs),
            judged ? TARGET : "-");
    long[] ours = together(predict);
    long[] their = together(theirs);
    String note =
        (" ms of Predict and %s at %.1f requests/s, half of the best peer's capacity; of all %d and"
                + " %d calls p50 %.2f and %.2f, p99 %.2f and %.2f; p99 by the peer's protocol %.2f"
                + " ms; model %s")
            .formatted(
                peer.text(),
                rate,
                ours.length,
                their.length,
                CallFigures.quantile(ours, 0.5),
                CallFigures.quantile(their, 0.5),
                CallFigures.quantile(ours, Q),
                CallFigures.quantile(their, Q),
                infer,
                model.title());
    return Figure.of(
        figure.name(), figure.value(), "1", figure.target().text(), figure.note() + note);
  }

  private static double[] each(List<long[]> runs) {
    return runs.stream().mapToDouble(run -> CallFigures.quantile(run, Q)).toArray();
  }

  private static long[] together(List<long[]> runs) {
    return runs.stream().flatMapToLong(Arrays::stream).sorted().toArray();
  }
}
