package dev.wukong.serving.status;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the meters said at one moment, summed over all tags but the model: one pass over the
 * registry. Immutable once read.
 */
final class MeterReading {
  /** What they said of one model. Zero where a meter does not exist yet: it has counted nothing. */
  static final class OfModel {
    private final Map<Counted, Double> counted = new EnumMap<>(Counted.class);
    private final Map<Stage, Histogram> stages = new EnumMap<>(Stage.class);
    private long batches;
    private double batchRows;

    private OfModel() {
      for (Stage stage : Stage.values()) {
        stages.put(stage, new Histogram());
      }
    }

    double counted(Counted what) {
      return counted.getOrDefault(what, 0.0);
    }

    Histogram stage(Stage stage) {
      Histogram found = stages.get(stage);
      if (found == null) {
        throw new IllegalStateException("every stage was made: " + stage);
      }
      return found;
    }

    long batches() {
      return batches;
    }

    double batchRows() {
      return batchRows;
    }
  }

  /** Nothing measured. */
  static final OfModel NOTHING = new OfModel();

  private static final String REFUSALS = "wukong.predict.refusals";
  private static final String BATCH_ROWS = "wukong.batching.rows";
  private static final Map<String, Stage> STAGES = stages();
  private static final Map<String, List<Counted>> COUNTERS = counters();

  private final Map<String, OfModel> models = new HashMap<>();
  private final Map<String, Double> refused = new HashMap<>();
  private final Map<String, Map<String, ShadowReading>> shadows = new HashMap<>();
  private final Map<String, LearningReading> learning = new HashMap<>();

  private MeterReading() {}

  private static Map<String, Stage> stages() {
    Map<String, Stage> stages = new HashMap<>();
    for (Stage stage : Stage.values()) {
      stages.put(stage.meter(), stage);
    }
    return stages;
  }

  private static Map<String, List<Counted>> counters() {
    Map<String, List<Counted>> counters = new HashMap<>();
    for (Counted counted : Counted.values()) {
      counters.computeIfAbsent(counted.meter(), _ -> new ArrayList<>()).add(counted);
    }
    return counters;
  }

  /** What {@code registry} says now. */
  static MeterReading of(MeterRegistry registry) {
    MeterReading reading = new MeterReading();
    for (Meter meter : registry.getMeters()) {
      reading.add(meter);
    }
    return reading;
  }

  private void add(Meter meter) {
    String name = meter.getId().getName();
    if (name.equals(REFUSALS) && meter instanceof Counter counter) {
      String reason = meter.getId().getTag("reason");
      refused.merge(reason == null ? "unknown" : reason, counter.count(), Double::sum);
      return;
    }
    String model = meter.getId().getTag("model");
    if (model == null) {
      return;
    }
    String label = meter.getId().getTag("label");
    if (label != null && ShadowReading.wants(name)) {
      shadows
          .computeIfAbsent(model, _ -> new HashMap<>())
          .computeIfAbsent(label, _ -> new ShadowReading())
          .add(meter);
      return;
    }
    if (LearningReading.wants(name)) {
      learning.computeIfAbsent(model, _ -> new LearningReading()).add(meter);
      return;
    }
    switch (meter) {
      case Timer timer when STAGES.containsKey(name) ->
          of(model).stage(stage(name)).add(timer.takeSnapshot());
      case DistributionSummary rows when name.equals(BATCH_ROWS) -> {
        of(model).batches += rows.count();
        of(model).batchRows += rows.totalAmount();
      }
      case Counter counter -> {
        for (Counted counted : COUNTERS.getOrDefault(name, List.of())) {
          @Nullable String value =
              counted.tag().isEmpty() ? "" : meter.getId().getTag(counted.tag());
          if (counted.value().equals(value)) {
            of(model).counted.merge(counted, counter.count(), Double::sum);
          }
        }
      }
      default -> {}
    }
  }

  private static Stage stage(String meter) {
    Stage stage = STAGES.get(meter);
    if (stage == null) {
      throw new IllegalArgumentException(meter);
    }
    return stage;
  }

  private OfModel of(String model) {
    return models.computeIfAbsent(model, _ -> new OfModel());
  }

  /** What they said of {@code model}. */
  OfModel model(String model) {
    return models.getOrDefault(model, NOTHING);
  }

  /** What they said of copies that versions score beside those that answer, by model and label. */
  Map<String, Map<String, ShadowReading>> shadows() {
    return shadows;
  }

  /** What they said of training, by model; of those only that learn. */
  Map<String, LearningReading> learning() {
    return learning;
  }

  /** Requests without an answer, by reason. */
  Map<String, Double> refused() {
    return refused;
  }
}
