package dev.wukong.serving.retraining;

import dev.wukong.serving.joining.Example;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what a model learns from, and how well it did before it had. Any thread may read. */
final class LearnerMeters {
  private static final Logger log = LoggerFactory.getLogger(LearnerMeters.class);

  private static final Duration[] BOUNDS = {
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofMillis(1500),
    Duration.ofSeconds(2),
    Duration.ofSeconds(3),
    Duration.ofSeconds(5),
    Duration.ofSeconds(10),
    Duration.ofSeconds(30),
    Duration.ofMinutes(1),
    Duration.ofMinutes(5),
    Duration.ofMinutes(15),
    Duration.ofHours(1)
  };

  private static final int MOST_LABELS = 1 << 16;

  /** Time between two lines in the log that say what was refused. */
  private static final Duration SAY = Duration.ofMinutes(1);

  private final String model;
  private final List<String> tasks;
  private final Counter learned;
  private final Counter foreign;
  private final Counter refused;
  private final Counter quarantined;
  private final DistributionSummary skew;
  private final Counter same;
  private final Counter apart;
  private final List<ProgressiveValidation> served;
  private final List<ProgressiveValidation> learner;
  private final Timer visible;

  /** Times of the labels that the next commit has. The training thread's. */
  private final List<Long> labelsMs = new ArrayList<>();

  /** Examples that were refused and nobody was told of. The training thread's. */
  private long refusedSince;

  /** Why the last one was. The training thread's. */
  private String refusedWhy = "";

  /** When somebody last was told, by the log's clock. The training thread's. */
  private long saidMs;

  /** The meters of one model. */
  LearnerMeters(String model, List<String> tasks, MeterRegistry registry) {
    this.model = model;
    this.tasks = List.copyOf(tasks);
    this.learned = examples(model, "learned", registry);
    this.foreign = examples(model, "foreign", registry);
    this.quarantined = examples(model, "quarantined", registry);
    this.skew =
        DistributionSummary.builder("wukong.online.skew")
            .description(
                "Logits by which answers differ from what training's path says of the logged"
                    + " features, by the same weights")
            .tag("model", model)
            .register(registry);
    this.same = skew(model, "same", registry);
    this.apart = skew(model, "apart", registry);
    this.refused = examples(model, "refused", registry);
    this.served = tasks.stream().map(task -> validation(model, task, "served", registry)).toList();
    this.visible =
        Timer.builder("wukong.online.visible")
            .description("From a label in the log to the commit that was learned with it")
            .tag("model", model)
            .serviceLevelObjectives(BOUNDS)
            .register(registry);
    this.learner =
        tasks.stream().map(task -> validation(model, task, "learner", registry)).toList();
  }

  private static Counter examples(String model, String outcome, MeterRegistry registry) {
    return Counter.builder("wukong.online.examples")
        .description(
            "Examples that training was given: learned from, encoded by another bundle's"
                + " vocabularies, refused since a feature or the loss of a minibatch is no finite"
                + " number, or quarantined since labels were not such as any state expects")
        .tag("model", model)
        .tag("outcome", outcome)
        .register(registry);
  }

  private static Counter skew(String model, String outcome, MeterRegistry registry) {
    return Counter.builder("wukong.online.skew.probabilities")
        .description(
            "Answers of which training's path says the same, or something else, of the logged"
                + " features by the same weights")
        .tag("model", model)
        .tag("outcome", outcome)
        .register(registry);
  }

  private static ProgressiveValidation validation(
      String model, String task, String by, MeterRegistry registry) {
    ProgressiveValidation validation = new ProgressiveValidation();
    // One of another version's tasks would show for ever what it last was.
    for (String name : List.of("wukong.online.normalized.entropy", "wukong.online.calibration")) {
      registry
          .find(name)
          .tags("model", model, "task", task, "by", by)
          .meters()
          .forEach(registry::remove);
    }
    Gauge.builder("wukong.online.normalized.entropy", validation::normalizedEntropy)
        .description(
            "Log loss by that of the mean label, over the last examples, each before it was learned"
                + " from; by what was served, and by what had been learned until then")
        .tag("model", model)
        .tag("task", task)
        .tag("by", by)
        .strongReference(true)
        .register(registry);
    Gauge.builder("wukong.online.calibration", validation::calibration)
        .description("Mean probability by mean label, over the last examples")
        .tag("model", model)
        .tag("task", task)
        .tag("by", by)
        .strongReference(true)
        .register(registry);
    return validation;
  }

  /** The tasks it was made for. */
  List<String> tasks() {
    return tasks;
  }

  /** How well it did, by who gave the probability, then task, then metric. */
  Map<String, Map<String, Map<String, Double>>> figures() {
    return Map.of("online-served", figures(served), "online-learner", figures(learner));
  }

  private Map<String, Map<String, Double>> figures(List<ProgressiveValidation> by) {
    Map<String, Map<String, Double>> figures = new LinkedHashMap<>();
    for (int task = 0; task < tasks.size(); task++) {
      Map<String, Double> ofTask = new LinkedHashMap<>();
      ofTask.put("normalized_entropy", by.get(task).normalizedEntropy());
      ofTask.put("calibration", by.get(task).calibration());
      ofTask.values().removeIf(value -> !Double.isFinite(value));
      figures.put(tasks.get(task), ofTask);
    }
    return figures;
  }

  /** A step was made; {@code probabilities} [examples, tasks] are from before it. */
  void learned(List<Example> examples, float[] probabilities) {
    int tasks = served.size();
    for (int i = 0; i < examples.size(); i++) {
      Example example = examples.get(i);
      int task = example.task();
      double was = example.shown().probabilities()[task];
      served.get(task).add(was, example.label(), example.weight());
      double now = probabilities[i * tasks + task];
      learner.get(task).add(now, example.label(), example.weight());
      if (example.kind() != Example.Kind.NEGATIVE) {
        waits(example.atMs());
      }
    }
    learned.increment(examples.size());
  }

  private void waits(long labelMs) {
    if (labelsMs.size() < MOST_LABELS) { // Where nothing becomes visible for long.
      labelsMs.add(labelMs);
    }
  }

  /** Serving and training are so many logits apart about a candidate. */
  void skew(double logits, boolean within) {
    skew.record(logits);
    (within ? same : apart).increment();
  }

  /** So many examples were scored and not learned from. */
  void quarantined(int examples) {
    quarantined.increment(examples);
  }

  /** Everything learned from so far is visible at {@code nowMs}. */
  void visible(long nowMs) {
    for (long atMs : labelsMs) {
      visible.record(Math.max(0, nowMs - atMs), TimeUnit.MILLISECONDS);
    }
    labelsMs.clear();
  }

  /** Nothing that is not visible yet will be, but is learned once more. */
  void forgotten() {
    labelsMs.clear();
  }

  /** An example is of another encoding. */
  void foreign() {
    foreign.increment();
  }

  /** So many examples cannot be learned from. */
  void refused(int examples, String why) {
    refused.increment(examples);
    refusedSince += examples;
    refusedWhy = why;
  }

  /** A commit was made; says, now and then, what was refused. */
  void committed(long nowMs) {
    if (refusedSince > 0 && nowMs - saidMs >= SAY.toMillis()) {
      log.warn(
          "model '{}': {} examples were not learned from, the last since {}",
          model,
          refusedSince,
          refusedWhy);
      saidMs = nowMs;
      refusedSince = 0;
    }
  }
}
