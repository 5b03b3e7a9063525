package dev.wukong.serving.retraining;

import dev.wukong.serving.joining.Example;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what a model learns from, and how well it did before it had. Any thread may read. */
final class LearnerMeters {
  private static final Logger log = LoggerFactory.getLogger(LearnerMeters.class);

  private final String model;
  private final Counter learned;
  private final Counter foreign;
  private final Counter refused;
  private final List<ProgressiveValidation> served;
  private final List<ProgressiveValidation> learner;

  /** The meters of one model. */
  LearnerMeters(String model, List<String> tasks, MeterRegistry registry) {
    this.model = model;
    this.learned = examples(model, "learned", registry);
    this.foreign = examples(model, "foreign", registry);
    this.refused = examples(model, "refused", registry);
    this.served = tasks.stream().map(task -> validation(model, task, "served", registry)).toList();
    this.learner =
        tasks.stream().map(task -> validation(model, task, "learner", registry)).toList();
  }

  private static Counter examples(String model, String outcome, MeterRegistry registry) {
    return Counter.builder("wukong.online.examples")
        .description(
            "Examples that training was given: learned from, encoded by another bundle's"
                + " vocabularies, or refused with a minibatch whose loss is no finite number")
        .tag("model", model)
        .tag("outcome", outcome)
        .register(registry);
  }

  private static ProgressiveValidation validation(
      String model, String task, String by, MeterRegistry registry) {
    ProgressiveValidation validation = new ProgressiveValidation();
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
    }
    learned.increment(examples.size());
  }

  /** An example is of another encoding. */
  void foreign() {
    foreign.increment();
  }

  /** A minibatch of so many was not learned from. */
  void refused(int examples, Exception why) {
    refused.increment(examples);
    log.warn("model '{}': {} examples are not learned from: {}", model, examples, why.getMessage());
  }
}
