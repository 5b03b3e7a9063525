package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.EncodedExamples;
import dev.wukong.metrics.Metrics;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.gating.Decision;
import dev.wukong.serving.gating.GatePhase;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/**
 * A model that learns in simulated time while something goes wrong for some of it. Whether what it
 * serves is any good is not asked of its gate, but of probes whose exact probabilities are known.
 * One thread.
 */
final class PoisonTrial implements LoopInTime.Hand {
  private static final Duration COMMIT = Duration.ofSeconds(1);
  private static final long BEGIN_MS = Duration.ofDays(1000).toMillis();

  /**
   * When what happens.
   *
   * @param before until something goes wrong
   * @param wrong as long as it does
   * @param after until the end
   * @param perSecond candidates
   */
  record Plan(Duration before, Duration wrong, Duration after, int perSecond) {
    Duration all() {
      return before.plus(wrong).plus(after);
    }

    private long wrongMs() {
      return BEGIN_MS + before.toMillis();
    }

    private long rightMs() {
      return wrongMs() + wrong.toMillis();
    }
  }

  /**
   * Requests that nobody learns from.
   *
   * @param truth [rows]
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Probes(EncodedExamples rows, double[] truth) {
    /** The normalized entropy to be expected of what a model gives them. */
    double normalizedEntropy(float[] given) {
      double loss = 0;
      for (int i = 0; i < truth.length; i++) {
        double q = given[i];
        loss += truth[i] * Metrics.crossEntropy(q, 1) + (1 - truth[i]) * Metrics.crossEntropy(q, 0);
      }
      return loss / truth.length / Metrics.entropy(Arrays.stream(truth).average().orElseThrow());
    }
  }

  /**
   * What was seen.
   *
   * @param entropies normalized, of what served the probes, by the second
   * @param begins the last second before anything went wrong
   * @param healthyThen the same of the last state that was promoted before that; of the bundle
   *     where there was none
   * @param promotedBefore states that were promoted before anything went wrong
   * @param promotedAfter the same after it
   * @param takenBack reasons, by the second
   * @param rollbackNanos the longest from a verdict to when nothing of it is in the store
   * @param frozen seconds in which labels were taken for missing
   * @param quarantined the same in which they were taken for strange
   * @param quarantinedAtEnd whether they still were at the end
   * @param halted whether it had stopped at the end
   * @param refused examples that could not be learned from
   * @param rows of the model at the end; those that were taken back included
   * @param verdict of the gate at the end
   */
  record Seen(
      List<Double> entropies,
      int begins,
      double healthyThen,
      int promotedBefore,
      int promotedAfter,
      List<String> takenBack,
      long rollbackNanos,
      int frozen,
      int quarantined,
      boolean quarantinedAtEnd,
      boolean halted,
      long refused,
      long rows,
      String verdict) {
    Seen {
      entropies = List.copyOf(entropies);
      takenBack = List.copyOf(takenBack);
    }

    /** Seconds in which it was worse by {@code margin} than {@code healthy} was then. */
    int corrupted(Seen healthy, double margin) {
      int seconds = 0;
      for (int i = 0; i < entropies.size(); i++) {
        seconds += worse(healthy, i) > margin ? 1 : 0;
      }
      return seconds;
    }

    /** Seconds in which it was worse than {@code healthy} was then, however old it was. */
    int behind(Seen healthy, double margin) {
      int seconds = 0;
      for (int i = 0; i < entropies.size(); i++) {
        seconds += entropies.get(i) - healthy.entropies().get(i) > margin ? 1 : 0;
      }
      return seconds;
    }

    /** By how much it was worse at most. */
    double worst(Seen healthy) {
      double worst = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < entropies.size(); i++) {
        worst = Math.max(worst, worse(healthy, i));
      }
      return worst;
    }

    /** By how much it is worse than {@code healthy} at the end, however old it is. */
    double lastBehind(Seen healthy) {
      return entropies.getLast() - healthy.entropies().getLast();
    }

    /** The same at the end, unless it is only old. */
    double last(Seen healthy) {
      return worse(healthy, entropies.size() - 1);
    }

    /**
     * One that is no worse than what served before, or than the healthy state of then, is only old:
     * that state is what is to be gone back to.
     */
    private double worse(Seen healthy, int second) {
      double then = Math.max(healthyThen, entropies.get(Math.min(second, begins)));
      return entropies.get(second) - Math.max(then, healthy.entropies().get(second));
    }
  }

  private final Bundle bundle;
  private final Poison poison;
  private final Plan plan;
  private final Probes probes;
  private final boolean acceptsAll;
  private final SplittableRandom random = new SplittableRandom(11);
  private final LoopInTime loop;

  private final List<Double> entropies = new ArrayList<>();
  private final List<String> takenBack = new ArrayList<>();
  private int promotedBefore;
  private int promotedAfter;
  private long rollbackNanos;
  private int frozen;
  private int quarantined;
  private long nowMs;
  private boolean changed = true;
  private double healthyThen;

  /** Whether a state was promoted in this second, before anything went wrong. */
  private boolean promotes;

  private PoisonTrial(
      Bundle bundle,
      LearnerOptions options,
      Poison poison,
      Plan plan,
      Probes probes,
      boolean acceptsAll)
      throws IOException {
    this.bundle = bundle;
    this.poison = poison;
    this.plan = plan;
    this.probes = probes;
    this.acceptsAll = acceptsAll;
    this.loop = new LoopInTime(bundle, options, COMMIT, List.of(COMMIT), this);
  }

  /**
   * Runs one.
   *
   * @param from the first request
   * @param wrong gives the options that are wrong, where that is what goes wrong
   * @param acceptsAll whether an operator takes all for healthy, whatever the gate would say
   */
  static Seen run(
      Bundle bundle,
      SimulatedTraffic traffic,
      long from,
      LearnerOptions options,
      UnaryOperator<LearnerOptions> wrong,
      Poison poison,
      Plan plan,
      Probes probes,
      boolean acceptsAll)
      throws IOException {
    PoisonTrial trial = new PoisonTrial(bundle, options, poison, plan, probes, acceptsAll);
    try (LoopInTime loop = trial.loop) {
      long at = from;
      for (Duration part : List.of(plan.before(), plan.wrong(), plan.after())) {
        boolean isWrong = trial.nowMs == plan.wrongMs();
        if (poison == Poison.LEARNING_RATE && trial.nowMs >= plan.wrongMs()) {
          loop.restart(isWrong ? wrong.apply(options) : options);
        }
        long begin = trial.nowMs == 0 ? BEGIN_MS : trial.nowMs;
        long requests = part.toSeconds() * plan.perSecond() / traffic.candidates();
        Iterator<TimedRequest> all =
            traffic.requests(bundle.encoder(), at, at + requests, begin, part);
        loop.run(trial.poisoned(all, traffic.task()), (_, _) -> {});
        at += requests;
      }
      return new Seen(
          trial.entropies,
          Math.toIntExact(plan.before().toSeconds()) - 1,
          trial.healthyThen,
          trial.promotedBefore,
          trial.promotedAfter,
          trial.takenBack,
          trial.rollbackNanos,
          trial.frozen,
          trial.quarantined,
          loop.gate().phase() == GatePhase.QUARANTINED,
          loop.halted(),
          (long) loop.counted("wukong.online.examples", "outcome", "refused"),
          trial.rows(),
          loop.gate().verdict().reason());
    }
  }

  private Iterator<TimedRequest> poisoned(Iterator<TimedRequest> all, String task) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return all.hasNext();
      }

      @Override
      public TimedRequest next() {
        TimedRequest of = all.next();
        return isWrong(of.atMs()) ? poison.request(of, task, plan.rightMs()) : of;
      }
    };
  }

  private long rows() {
    return bundle.manifest().rows()
        + (long) loop.counted("wukong.embedding.admission", "verdict", "admitted")
        - (long) loop.counted("wukong.embedding.removed", "reason", "age")
        - (long) loop.counted("wukong.embedding.removed", "reason", "cap");
  }

  private boolean isWrong(long atMs) {
    return atMs >= plan.wrongMs() && atMs < plan.rightMs();
  }

  @Override
  public EncodedExamples logged(TimedRequest request) {
    return isWrong(request.atMs())
        ? poison.logged(request.rows(), bundle.layout(), random)
        : request.rows();
  }

  @Override
  public List<Event> before(long nowMs) {
    return acceptsAll ? List.of(new Event.Ordered(Event.Order.ACCEPT, 0)) : List.of();
  }

  @Override
  public void committed(long nowMs, Decision decision, long nanos) {
    switch (decision) {
      case Decision.Keep _ -> {}
      case Decision.Hide _, Decision.Publish _ -> changed = true;
      case Decision.Promote _ -> {
        changed = true;
        promotes = nowMs < plan.wrongMs();
        promotedBefore += promotes ? 1 : 0;
        promotedAfter += nowMs >= plan.rightMs() ? 1 : 0;
      }
      case Decision.TakeBack(String reason) -> {
        changed = true;
        takenBack.add("%d s: %s".formatted((nowMs - BEGIN_MS) / 1_000, reason));
        rollbackNanos = Math.max(rollbackNanos, nanos);
      }
    }
  }

  @Override
  public void served(long nowMs) {
    this.nowMs = nowMs;
    // What serves stays as it is, else.
    double entropy =
        changed || entropies.isEmpty()
            ? probes.normalizedEntropy(loop.score(0, probes.rows()))
            : entropies.getLast();
    changed = false;
    // The first is the bundle.
    healthyThen = promotes || entropies.isEmpty() ? entropy : healthyThen;
    promotes = false;
    entropies.add(entropy);
    frozen += loop.frozen() ? 1 : 0;
    quarantined += loop.gate().phase() == GatePhase.QUARANTINED ? 1 : 0;
  }
}
