package dev.wukong.serving.gating;

import java.util.List;

/**
 * How it stands with what is learned, for people.
 *
 * @param mode when it is visible
 * @param phase what is done with what comes
 * @param share of the requests that what was learned answers as a canary
 * @param verdict at the last commit
 * @param reason of the verdict
 * @param failures how often in a row training was taken back
 * @param healthy states that can be stepped back to, by ascending number
 * @param figures since the last promotion
 */
public record GateReport(
    GateMode mode,
    GatePhase phase,
    double share,
    Kind verdict,
    String reason,
    int failures,
    List<State> healthy,
    List<Figures> figures) {
  /** As {@link Verdict}. */
  public enum Kind {
    /** It is no worse than the healthy state. */
    GOOD,
    /** Nothing can be said yet. */
    OPEN,
    /** It is worse, or cannot be served. */
    BAD,
    /** The labels are not such as the healthy state expects. */
    STRANGE
  }

  /**
   * A healthy state.
   *
   * @param number to name it by; 0 is the bundle
   * @param atMs when it was promoted: milliseconds since 1970-01-01 UTC
   * @param dense how often the dense weights had changed since the bundle
   * @param examples learned from since the bundle
   */
  public record State(long number, long atMs, long dense, long examples) {}

  public GateReport {
    healthy = List.copyOf(healthy);
    figures = List.copyOf(figures);
  }

  /**
   * How {@code gate} stands.
   *
   * @param share that is tried out now
   * @param healthy states to step back to
   */
  public static GateReport of(Gate gate, double share, List<State> healthy) {
    return new GateReport(
        gate.mode(),
        gate.phase(),
        share,
        switch (gate.verdict()) {
          case Verdict.Good _ -> Kind.GOOD;
          case Verdict.Open _ -> Kind.OPEN;
          case Verdict.Bad _ -> Kind.BAD;
          case Verdict.Strange _ -> Kind.STRANGE;
        },
        gate.verdict().reason(),
        gate.failures(),
        healthy,
        gate.figures());
  }
}
