package dev.wukong.serving.status;

import dev.wukong.serving.gating.Figures;
import dev.wukong.serving.gating.GateReport;
import dev.wukong.serving.gating.Scorer;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How the gate of a model that learns stands, as {@code GetModel} says it; figures are null where
 * nothing can be said.
 *
 * @param mode when what is learned is visible, such as {@code gated}
 * @param phase what is done with what comes, such as {@code holding}
 * @param share of the requests that what was learned answers as a canary
 * @param verdict {@code good}, {@code open}, {@code bad} or {@code strange}
 * @param reason of the verdict
 * @param failures how often in a row training was taken back
 * @param healthy how many states there are to step back to
 * @param newest when the last of them was promoted, in milliseconds since 1970; 0: there is none
 * @param tasks figures since the last promotion, of all examples
 */
record GateStatus(
    String mode,
    String phase,
    double share,
    String verdict,
    String reason,
    int failures,
    int healthy,
    long newest,
    List<OfTask> tasks) {

  /** How three models did on the same examples of a task, and the candidate less the healthy. */
  record OfTask(
      String task,
      long examples,
      long positives,
      @Nullable OfModel served,
      @Nullable OfModel candidate,
      @Nullable OfModel healthy,
      @Nullable Double worse,
      @Nullable Double worseLow,
      @Nullable Double worseHigh) {}

  /** Of one model: normalized entropy with the ends of its interval of 95 %, and the rest. */
  record OfModel(
      @Nullable Double entropy,
      @Nullable Double low,
      @Nullable Double high,
      @Nullable Double calibration,
      @Nullable Double auc) {}

  /** What {@code report} says. */
  static GateStatus of(GateReport report) {
    List<GateReport.State> healthy = report.healthy();
    return new GateStatus(
        word(report.mode()),
        word(report.phase()),
        report.share(),
        word(report.verdict()),
        report.reason(),
        report.failures(),
        healthy.size(),
        healthy.isEmpty() ? 0 : healthy.getLast().atMs(),
        report.figures().stream().filter(Figures::ofAll).map(GateStatus::of).toList());
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static OfTask of(Figures figures) {
    return new OfTask(
        figures.task(),
        figures.examples(),
        figures.positives(),
        of(figures.by().get(Scorer.SERVED)),
        of(figures.by().get(Scorer.CANDIDATE)),
        of(figures.by().get(Scorer.HEALTHY)),
        known(figures.worse()),
        known(figures.worseLow()),
        known(figures.worseHigh()));
  }

  private static @Nullable OfModel of(Figures.@Nullable Of of) {
    return of == null
        ? null
        : new OfModel(
            known(of.normalizedEntropy()),
            known(of.low()),
            known(of.high()),
            known(of.calibration()),
            known(of.area()));
  }

  /** JSON has no numbers that are none. */
  private static @Nullable Double known(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
