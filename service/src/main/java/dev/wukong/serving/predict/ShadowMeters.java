package dev.wukong.serving.predict;

import dev.wukong.serving.hosting.ServedModel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What is counted of copies that shadow versions score, by model and label. Any thread. */
final class ShadowMeters {
  private final MeterRegistry registry;
  private final Map<Label, Compared> known = new ConcurrentHashMap<>();

  private record Label(String model, String label) {}

  /**
   * Those of a label.
   *
   * @param scored copies that were scored
   * @param dropped copies that nobody scored: too many waited, or the label is gone
   * @param refused copies that the version does not take, such as those of another schema
   * @param failed copies that it failed on
   * @param time to score a copy
   * @param difference between the two probabilities of a candidate: the mean of a request
   * @param given the mean probability of a request as answered
   * @param shadow the same as the shadow version would have answered
   */
  record Compared(
      Counter scored,
      Counter dropped,
      Counter refused,
      Counter failed,
      Timer time,
      DistributionSummary difference,
      DistributionSummary given,
      DistributionSummary shadow) {
    private List<Meter> all() {
      return List.of(scored, dropped, refused, failed, time, difference, given, shadow);
    }
  }

  ShadowMeters(MeterRegistry registry) {
    this.registry = registry;
  }

  Compared of(ServedModel served, String label) {
    Compared found = known.get(new Label(served.name(), label));
    return found == null ? add(served, label) : found;
  }

  /** With a new label those go that the model has no more: years of labels do not fill memory. */
  private synchronized Compared add(ServedModel served, String label) {
    known
        .entrySet()
        .removeIf(
            entry -> {
              boolean gone =
                  entry.getKey().model().equals(served.name())
                      && !served.labels().containsKey(entry.getKey().label());
              if (gone) {
                entry.getValue().all().forEach(registry::remove);
              }
              return gone;
            });
    return known.computeIfAbsent(
        new Label(served.name(), label),
        key -> registered(Tags.of("model", key.model(), "label", key.label())));
  }

  private Compared registered(Tags tags) {
    return new Compared(
        outcome(tags, "scored"),
        outcome(tags, "dropped"),
        outcome(tags, "refused"),
        outcome(tags, "failed"),
        Timer.builder("wukong.shadow.time")
            .description("To score a copy of an answered request by the label's version")
            .tags(tags)
            .register(registry),
        DistributionSummary.builder("wukong.shadow.difference")
            .description("Mean distance of a request's probabilities from those that were answered")
            .tags(tags)
            .register(registry),
        probability(tags, "answered"),
        probability(tags, "shadow"));
  }

  private Counter outcome(Tags tags, String outcome) {
    return Counter.builder("wukong.shadow.requests")
        .description("Copies of answered requests for the label's version")
        .tags(tags.and("outcome", outcome))
        .register(registry);
  }

  private DistributionSummary probability(Tags tags, String of) {
    return DistributionSummary.builder("wukong.shadow.probability")
        .description("Mean probability of a request that was scored by both")
        .tags(tags.and("of", of))
        .register(registry);
  }
}
