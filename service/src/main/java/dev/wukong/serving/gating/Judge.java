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
   * @param usual how labels that were usual have surprised the healthy state
   */
  static Verdict of(GateWindow window, UsualSurprise usual, GatePolicy policy) {
    Verdict strange = strange(window, usual);
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
      Bad bad = harmful(tasks.get(task), window, task, policy);
      if (bad != null) {
        return bad;
      }
      Open undecided = uncertain(tasks.get(task), all, policy);
      undecided = undecided == null ? unlike(window, task) : undecided;
      undecided = undecided == null ? sudden(window, task) : undecided;
      open = undecided == null ? open : undecided;
    }
    return open == null ? new Good("no task and no slice is worse") : open;
  }

  /** What is to become of a candidate of which nothing was decided for as long as it may take. */
  enum AtLast {
    /** It is no worse, as far as can be told, and for sure not by what is harmful. */
    NO_WORSE,
    /** There were too few examples to tell. */
    UNKNOWN,
    /** It rather is worse, though perhaps not by what is harmful. */
    WORSE,
    /** It is worse by what is harmful: for sure to 95 %, which is enough where one looks once. */
    HARMFUL
  }

  /** Of all tasks, that which is worst off. */
  static AtLast atLast(GateWindow window, GatePolicy policy) {
    AtLast worst = window.tells() ? AtLast.NO_WORSE : AtLast.UNKNOWN;
    for (int task = 0; task < window.tasks().size(); task++) {
      Tally all = window.of(task, Slices.ALL);
      if (all.tells(GatePolicy.ENOUGH)) {
        AtLast of = atLast(all, unlike(window, task) != null, policy);
        of = of == AtLast.NO_WORSE && sudden(window, task) != null ? AtLast.UNKNOWN : of;
        worst = of.compareTo(worst) > 0 ? of : worst;
      }
    }
    return worst;
  }

  private static AtLast atLast(Tally all, boolean unlike, GatePolicy policy) {
    double worse = all.worse();
    double error = all.worseError();
    if (worse - USUAL * error > policy.harm()) {
      return AtLast.HARMFUL;
    }
    if (unlike || worse > error) {
      return AtLast.WORSE;
    }
    return worse + USUAL * error > policy.harm() ? AtLast.UNKNOWN : AtLast.NO_WORSE;
  }

  /** Labels that the healthy state would not have thought possible; null where they are usual. */
  static @Nullable Strange strange(GateWindow window, UsualSurprise usual) {
    for (int task = 0; task < window.tasks().size(); task++) {
      if (!usual.knows(task)) {
        continue;
      }
      String name = window.tasks().get(task);
      Strange of = strange(name, window.of(task, Slices.ALL), usual, task, 1);
      of = of == null ? strange(name, window.newest(task), usual, task, GatePolicy.ENOUGH) : of;
      if (of != null) {
        return of;
      }
    }
    return null;
  }

  /** Whether the healthy state expects about as many positive labels as there are. */
  static boolean fits(Tally of) {
    double expected = of.expected(Scorer.HEALTHY);
    double found = of.found();
    return Math.max(found, expected) <= GatePolicy.STRANGE * Math.min(found, expected);
  }

  /**
   * The same of some examples of a task.
   *
   * @param task its number
   * @param least examples with each label from which their losses say something
   */
  private static @Nullable Strange strange(
      String name, Tally of, UsualSurprise usual, int task, int least) {
    if (of.examples() < GatePolicy.ENOUGH) {
      return null;
    }
    double expected = of.expected(Scorer.HEALTHY);
    double found = of.found();
    double chance = GatePolicy.SURE * of.foundError(Math.max(expected, found));
    if (Math.abs(found - expected) > chance && !fits(of)) {
      return new Strange(
          String.format(
              ROOT,
              "task '%s' has %.0f positive labels where the healthy state expects %.0f",
              name,
              found,
              expected));
    }
    double surprise = of.surprise(Scorer.HEALTHY);
    double times = 1 + GatePolicy.STRANGE_LOSS;
    double error = Math.hypot(of.surpriseError(Scorer.HEALTHY), times * usual.error(task));
    if (of.tells(least) && surprise - GatePolicy.SURE * error > times * usual.of(task)) {
      return new Strange(
          String.format(
              ROOT,
              "task '%s': the log loss of the healthy state is %.2f times what it expects, usual is"
                  + " %.2f",
              name,
              surprise,
              usual.of(task)));
    }
    return null;
  }

  /**
   * Why a candidate is taken back; null where it need not be. What has become worse of late shows
   * in the newest examples first.
   */
  private static @Nullable Bad harmful(
      String task, GateWindow window, int number, GatePolicy policy) {
    Tally all = window.of(number, Slices.ALL);
    for (Tally of : List.of(all, window.newest(number))) {
      double worse = of.worse();
      double error = of.worseError();
      if (of.tells(GatePolicy.ENOUGH) && worse - GatePolicy.SURE * error > policy.harm()) {
        return new Bad(
            String.format(
                ROOT,
                "task '%s': normalized entropy is worse by %.5f (standard error %.5f) than the"
                    + " healthy state's",
                task,
                worse,
                error));
      }
    }
    double candidate = offBy(all, Scorer.CANDIDATE);
    double healthy = offBy(all, Scorer.HEALTHY);
    if (candidate - healthy
        > Math.max(GatePolicy.CALIBRATION_HARM, GatePolicy.SURE * all.chance())) {
      return new Bad(calibration(task, candidate, healthy));
    }
    return null;
  }

  /**
   * Why it is not known to be no worse; null where it is. In a world that stands still a candidate
   * is as likely better as worse, and to tell that for sure may take hours: one that looks no worse
   * is promoted as soon as it is for sure not worse by what is harmful. One that is will look so
   * about once in twenty windows, for all the times that it is looked at.
   */
  private static @Nullable Open uncertain(String task, Tally all, GatePolicy policy) {
    double most = all.worse() + USUAL * all.worseError();
    double allowed = all.worse() > 0 ? policy.worse() : Math.max(policy.worse(), policy.harm());
    if (most > allowed) {
      return new Open(
          String.format(
              ROOT,
              "task '%s': normalized entropy may be worse by %.5f, allowed is %.5f",
              task,
              most,
              allowed));
    }
    return null;
  }

  /** By what else a task differs, other than by its normalized entropy; null: by nothing. */
  private static @Nullable Open unlike(GateWindow window, int number) {
    String task = window.tasks().get(number);
    Tally all = window.of(number, Slices.ALL);
    double candidate = offBy(all, Scorer.CANDIDATE);
    double healthy = offBy(all, Scorer.HEALTHY);
    if (candidate - healthy > Math.max(GatePolicy.CALIBRATION, 3 * all.chance())) {
      return new Open(calibration(task, candidate, healthy));
    }
    double area = all.area(Scorer.HEALTHY) - all.area(Scorer.CANDIDATE);
    if (area > Math.max(GatePolicy.AREA, AREA_CHANCE * all.chanceOfDifference())) {
      return new Open(
          String.format(
              ROOT,
              "task '%s': the area under the curve is less by %.4f, allowed is %.4f",
              task,
              area,
              GatePolicy.AREA));
    }
    for (int slice = 1; slice < window.slices().size(); slice++) {
      Tally part = window.of(number, slice);
      if (part.positives() >= GatePolicy.ENOUGH_OF_SLICE && part.worse() > GatePolicy.SLICE) {
        return new Open(
            String.format(
                ROOT,
                "task '%s', %s: normalized entropy is worse by %.5f, allowed is %.5f",
                task,
                window.slices().get(slice),
                part.worse(),
                GatePolicy.SLICE));
      }
    }
    return null;
  }

  /**
   * Whether the newest labels are not such as those of the window: nothing is promoted then. Who
   * has learned from labels that are wrong since seconds is better on these, before it is certain
   * that they are strange.
   */
  private static @Nullable Open sudden(GateWindow window, int number) {
    Tally all = window.of(number, Slices.ALL);
    Tally newest = window.newest(number);
    if (newest.examples() < GatePolicy.ENOUGH) {
      return null;
    }
    double change =
        Math.abs(Math.log(all.calibration(Scorer.HEALTHY) / newest.calibration(Scorer.HEALTHY)));
    if (change > Math.max(GatePolicy.SUDDEN, 3 * newest.chance())) {
      return new Open(
          String.format(
              ROOT,
              "task '%s': labels have changed by %.2f of late",
              window.tasks().get(number),
              change));
    }
    return null;
  }

  private static String calibration(String task, double candidate, double healthy) {
    return String.format(
        ROOT,
        "task '%s': calibration is off by %.3f, the healthy state's by %.3f",
        task,
        candidate,
        healthy);
  }

  private static double offBy(Tally all, Scorer scorer) {
    return Math.abs(Math.log(all.calibration(scorer)));
  }
}
