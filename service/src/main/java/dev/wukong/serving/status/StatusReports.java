package dev.wukong.serving.status;

import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.hosting.TrainingStates;
import dev.wukong.serving.hosting.VersionState;
import dev.wukong.serving.status.StatusReport.Model;
import dev.wukong.serving.status.StatusReport.ProcessUse;
import dev.wukong.serving.status.StatusReport.Readiness;
import dev.wukong.serving.status.StatusReport.Shadow;
import dev.wukong.serving.status.StatusReport.Training;
import dev.wukong.serving.status.StatusReport.Version;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Makes the answers of {@code GET /status} from samples and models. Any thread. */
final class StatusReports {
  private final ModelHost host;
  private final TrainingStates training;
  private final SampleRing samples;
  private final Headline headline;
  private final List<String> devices;
  private final Clock clock;
  private final long started;

  /**
   * Over what is sampled into {@code samples}.
   *
   * @param devices that run models
   * @param started when the process began, in milliseconds since 1970
   */
  StatusReports(
      ModelHost host,
      TrainingStates training,
      SampleRing samples,
      Headline headline,
      List<String> devices,
      Clock clock,
      long started) {
    this.host = host;
    this.training = training;
    this.samples = samples;
    this.headline = headline;
    this.devices = List.copyOf(devices);
    this.clock = clock;
    this.started = started;
  }

  /** The state now, and the samples with a number above {@code after}. */
  StatusReport after(long after) {
    List<Sample> newer = samples.after(after);
    List<Sample> kept = samples.after(-1);
    long last = newer.isEmpty() ? Math.min(after, samples.last()) : newer.getLast().number();
    Headline.Said said = headline.say(samples.after(samples.last() - Headline.RECENT - 1));
    return new StatusReport(
        started,
        clock.millis(),
        StatusSampler.EVERY.toMillis(),
        samples.slots(),
        last,
        newer.stream().map(Sample::atMillis).toList(),
        new Readiness(said.state().name().toLowerCase(Locale.ROOT), said.reasons()),
        process(newer),
        refused(newer),
        host.models().stream().map(model -> model(model, newer, kept)).toList());
  }

  private ProcessUse process(List<Sample> newer) {
    Map<String, List<@Nullable Double>> figures = new LinkedHashMap<>();
    for (ProcessFigure figure : ProcessFigure.values()) {
      figures.put(figure.key(), over(newer, s -> s.process().get(figure)));
    }
    Runtime runtime = Runtime.getRuntime();
    return new ProcessUse(runtime.availableProcessors(), runtime.maxMemory(), devices, figures);
  }

  private static Map<String, List<@Nullable Double>> refused(List<Sample> newer) {
    Set<String> reasons = new TreeSet<>();
    newer.forEach(sample -> reasons.addAll(sample.refused().keySet()));
    Map<String, List<@Nullable Double>> refused = new LinkedHashMap<>();
    for (String reason : reasons) {
      refused.put(reason, over(newer, s -> s.refused().getOrDefault(reason, 0.0)));
    }
    return refused;
  }

  private Model model(ServedModel served, List<Sample> newer, List<Sample> kept) {
    Map<String, List<@Nullable Double>> figures = new LinkedHashMap<>();
    for (ModelFigure figure : ModelFigure.values()) {
      figures.put(
          figure.key(),
          over(newer, s -> s.models().getOrDefault(served.name(), Map.of()).get(figure)));
    }
    Set<String> learning = new TreeSet<>();
    newer.forEach(s -> learning.addAll(learning(s, served).keySet()));
    for (String key : learning) {
      figures.put(key, over(newer, s -> learning(s, served).get(key)));
    }
    HostedModel serving = served.lease();
    try {
      return new Model(
          served.name(),
          serving == null ? 0 : serving.bundle(),
          serving == null ? "" : serving.schemaId(),
          serving == null ? List.of() : serving.taskNames(),
          serving == null ? "" : serving.precision().toString(),
          served.batcher().policy().maxRows(),
          served.batcher().policy().maxWait().toMillis(),
          versions(served),
          shadows(served, kept),
          training(served, serving == null ? 0 : serving.rows(), kept),
          figures);
    } finally {
      if (serving != null) {
        serving.release();
      }
    }
  }

  private static Map<String, Double> learning(Sample sample, ServedModel served) {
    return sample.learning().getOrDefault(served.name(), Map.of());
  }

  private @Nullable Training training(ServedModel served, long rows, List<Sample> kept) {
    boolean frozen =
        !kept.isEmpty() && learning(kept.getLast(), served).getOrDefault("frozen", 0.0) > 0;
    return training
        .of(served.name())
        .map(
            state ->
                new Training(
                    state.phase().name().toLowerCase(Locale.ROOT),
                    state.reason(),
                    state.bundle(),
                    state.epoch(),
                    state.dense(),
                    rows,
                    state.examples(),
                    state.lag(),
                    frozen,
                    state.gate().map(GateStatus::of).orElse(null)))
        .orElse(null);
  }

  private static List<Version> versions(ServedModel served) {
    Map<String, Long> labels = served.labels();
    Map<Long, Double> shares = shares(served, labels);
    List<Version> versions = new ArrayList<>();
    for (VersionState state : served.versions()) {
      long number = state.version();
      versions.add(
          new Version(
              number,
              state.phase().getClass().getSimpleName().toLowerCase(Locale.ROOT),
              state.phase() instanceof VersionState.Failed(String reason) ? reason : "",
              state.since().toEpochMilli(),
              labels.entrySet().stream()
                  .filter(label -> label.getValue() == number)
                  .map(Map.Entry::getKey)
                  .sorted()
                  .toList(),
              shares.getOrDefault(number, 0.0)));
    }
    return versions;
  }

  private static List<Shadow> shadows(ServedModel served, List<Sample> kept) {
    Map<String, Long> labels = new HashMap<>(served.labels());
    labels.values().retainAll(served.loadedVersions());
    List<Shadow> shadows = new ArrayList<>();
    for (Map.Entry<String, Double> copied : new TreeMap<>(served.copied()).entrySet()) {
      String label = copied.getKey();
      ShadowReading first = ShadowReading.NOTHING;
      ShadowReading now = ShadowReading.NOTHING;
      if (!kept.isEmpty()) {
        first = shadow(kept.getFirst(), served.name(), label);
        now = shadow(kept.getLast(), served.name(), label);
      }
      shadows.add(
          new Shadow(
              label,
              labels.getOrDefault(label, 0L),
              copied.getValue(),
              now.copies("scored", first),
              now.copies("dropped", first),
              now.copies("refused", first),
              now.copies("failed", first),
              now.mean("difference", first),
              now.mean("answered", first),
              now.mean("shadow", first)));
    }
    return shadows;
  }

  private static ShadowReading shadow(Sample sample, String model, String label) {
    return sample
        .shadows()
        .getOrDefault(model, Map.of())
        .getOrDefault(label, ShadowReading.NOTHING);
  }

  /** The part of the requests that ask for no version which each version answers. */
  private static Map<Long, Double> shares(ServedModel served, Map<String, Long> labels) {
    long main = served.servingVersion();
    if (main == 0) {
      return Map.of();
    }
    Set<Long> loaded = served.loadedVersions();
    Map<Long, Double> shares = new HashMap<>();
    double rest = 1;
    for (Map.Entry<String, Double> share : served.shares().entrySet()) {
      Long version = labels.get(share.getKey());
      // What a label cannot answer goes to the version that serves.
      if (version != null && loaded.contains(version)) {
        shares.merge(version, share.getValue(), Double::sum);
        rest -= share.getValue();
      }
    }
    shares.merge(main, Math.max(0, rest), Double::sum);
    return shares;
  }

  private static List<@Nullable Double> over(
      List<Sample> samples, Function<Sample, @Nullable Double> figure) {
    List<@Nullable Double> values = new ArrayList<>(samples.size());
    samples.forEach(sample -> values.add(figure.apply(sample)));
    return values;
  }
}
