package dev.wukong.serving.joining;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.Map;

/**
 * What each caller that reports feedback says, beside what was answered: whoever reports labels
 * that nobody has given is told from the others by them. The training thread's.
 */
final class SourceMeters {
  /** Callers that have meters of their own, of a model; the names of others may be anything. */
  private static final int MOST = 32;

  private static final String UNKNOWN = "unknown";
  private static final String OTHERS = "others";

  /** The meters of a caller and a task. */
  private record OfTask(Counter expected, Counter labels, DistributionSummary probability) {}

  private final String model;
  private final MeterRegistry registry;
  private final Map<String, Map<String, OfTask>> sources = new HashMap<>();

  SourceMeters(String model, MeterRegistry registry) {
    this.model = model;
    this.registry = registry;
  }

  /**
   * Candidates were shown.
   *
   * @param source who says so
   * @param expected labels, by the answers: the sum of their probabilities
   */
  void exposed(String source, String task, double expected) {
    if (expected > 0) { // Not where it is no number.
      of(source, task).expected().increment(expected);
    }
  }

  /** A positive label of a candidate that was shown before. */
  void labelled(String source, String task, float value, float probability) {
    OfTask meters = of(source, task);
    meters.labels().increment((double) value);
    if (probability >= 0) {
      meters.probability().record((double) probability);
    }
  }

  private OfTask of(String source, String task) {
    String named = source.isEmpty() ? UNKNOWN : source;
    String counted = sources.containsKey(named) || sources.size() < MOST ? named : OTHERS;
    return sources
        .computeIfAbsent(counted, _ -> new HashMap<>())
        .computeIfAbsent(task, name -> meters(counted, name));
  }

  private OfTask meters(String source, String task) {
    return new OfTask(
        Counter.builder("wukong.source.expected")
            .description(
                "Labels that the answers expect of candidates that a caller said were shown")
            .tag("model", model)
            .tag("task", task)
            .tag("source", source)
            .register(registry),
        Counter.builder("wukong.source.labels")
            .description("Labels that a caller has reported, by their values")
            .tag("model", model)
            .tag("task", task)
            .tag("source", source)
            .register(registry),
        DistributionSummary.builder("wukong.source.probability")
            .description(
                "What the answers said of the candidates for which a caller reports labels")
            .tag("model", model)
            .tag("task", task)
            .tag("source", source)
            .register(registry));
  }
}
