package dev.wukong.serving.gating;

import static java.util.Locale.ROOT;

import dev.wukong.serving.gating.Verdict.Bad;
import dev.wukong.serving.gating.Verdict.Good;
import dev.wukong.serving.gating.Verdict.Open;
import dev.wukong.serving.gating.Verdict.Strange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Says what the figures of a window mean. A pure function. */
final class Judge {
  /** Standard errors beyond which something is so 39 times of 40. */
  private static final double USUAL = 1.96;

  /** Area under the curve by which two like models differ at a chance of 1. */
  private static final double AREA_CHANCE = 0.05;

  private Judge() {}

  /**
   * The verdict.
   *
   * @param reference normalized entropy, by task, that the healthy state had when it was promoted;
   *     NaN where nobody knows
   */
  static Verdict of(GateWindow window, double[] reference, GatePolicy policy) {
    Verdict strange = strange(window, reference);
    if (strange != null) {
      return strange;
    }
    if (!window.tells()) {
      return new Open(
          "no task has %d positive and as many negative examples yet".formatted(GatePolicy.ENOUGH));
    }
    Verdict open = null;
    List<String> tasks = window.tasks();
    for (int task = 0; task < tasks.size(); task++) {
      Tally all = window.of(task, Slices.ALL);
      if (!all.tells(GatePolicy.ENOUGH)) {
        continue;
      }
      Verdict of = ofTask(tasks.get(task), all, policy);
      switch (of) {
        case Bad bad -> {
          return bad;
        }
        case Open undecided -> open = undecided;
        case Good _, Strange _ -> {
          Verdict ofSlices = ofSlices(window, task);
          open = ofSlices instanceof Open ? ofSlices : open;
        }
      }
    }
    return open == null ? new Good("no task and no slice is worse") : open;
  }

  /** Labels that the healthy state would not have thought possible; null where they are usual. */
  static @Nullable Strange strange(GateWindow window, double[] reference) {
    for (int task = 0; task < window.tasks().size(); task++) {
      Tally all = window.of(task, Slices.ALL);
      if (Double.isNaN(reference[task]) || all.examples() < GatePolicy.ENOUGH) {
        continue;
      }
      String name = window.tasks().get(task);
      double expected = all.expected(Scorer.HEALTHY);
      double found = all.found();
      double chance = GatePolicy.SURE * Math.sqrt(all.unit() * Math.max(expected, found));
      if (Math.abs(found - expected) > chance
          && Math.max(found, expected) > GatePolicy.STRANGE * Math.min(found, expected)) {
        return new Strange(
            String.format(
                ROOT,
                "task '%s' has %.0f positive labels where the healthy state expects %.0f",
                name,
                found,
                expected));
      }
      double entropy = all.normalizedEntropy(Scorer.HEALTHY);
      double most = reference[task] * (1 + GatePolicy.STRANGE_ENTROPY);
      if (all.tells(1)
          && entropy - GatePolicy.SURE * all.normalizedEntropyError(Scorer.HEALTHY) > most) {
        return new Strange(
            String.format(
                ROOT,
                "task '%s': the healthy state has a normalized entropy of %.4f, it had %.4f",
                name,
                entropy,
                reference[task]));
      }
    }
    return null;
  }

  private static Verdict ofTask(String task, Tally all, GatePolicy policy) {
    double worse = all.worse();
    double error = all.worseError();
    if (worse - GatePolicy.SURE * error > policy.harm()) {
      return new Bad(
          String.format(
              ROOT,
              "task '%s': normalized entropy is worse by %.5f (standard error %.5f) than the"
                  + " healthy state's",
              task,
              worse,
              error));
    }
    double candidate = offBy(all, Scorer.CANDIDATE);
    double healthy = offBy(all, Scorer.HEALTHY);
    double chance = 1 / Math.sqrt((double) Math.max(1, all.positives()));
    if (candidate - healthy > Math.max(GatePolicy.CALIBRATION_HARM, GatePolicy.SURE * chance)) {
      return new Bad(
          String.format(
              ROOT,
              "task '%s': calibration is off by %.3f, the healthy state's by %.3f",
              task,
              candidate,
              healthy));
    }
    if (worse + USUAL * error > policy.worse()) {
      return new Open(
          String.format(
              ROOT,
              "task '%s': normalized entropy may be worse by %.5f, allowed is %.5f",
              task,
              worse + USUAL * error,
              policy.worse()));
    }
    if (candidate - healthy > Math.max(GatePolicy.CALIBRATION, 3 * chance)) {
      return new Open(
          String.format(
              ROOT,
              "task '%s': calibration is off by %.3f, the healthy state's by %.3f",
              task,
              candidate,
              healthy));
    }
    double area = all.area(Scorer.HEALTHY) - all.area(Scorer.CANDIDATE);
    if (area > Math.max(GatePolicy.AREA, AREA_CHANCE * chance)) {
      return new Open(
          String.format(
              ROOT,
              "task '%s': the area under the curve is less by %.4f, allowed is %.4f",
              task,
              area,
              GatePolicy.AREA));
    }
    return new Good("task '%s' is no worse".formatted(task));
  }

  private static double offBy(Tally all, Scorer scorer) {
    return Math.abs(Math.log(all.calibration(scorer)));
  }

  private static Verdict ofSlices(GateWindow window, int task) {
    for (int slice = 1; slice < window.slices().size(); slice++) {
      Tally part = window.of(task, slice);
      if (part.positives() >= GatePolicy.ENOUGH_OF_SLICE && part.worse() > GatePolicy.SLICE) {
        return new Open(
            String.format(
                ROOT,
                "task '%s', %s: normalized entropy is worse by %.5f, allowed is %.5f",
                window.tasks().get(task),
                window.slices().get(slice),
                part.worse(),
                GatePolicy.SLICE));
      }
    }
    return new Good("no slice is worse");
  }
}
