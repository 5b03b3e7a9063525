package dev.wukong.serving.status;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Timer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * What the meters said of a model's training. Nobody changes it once the registry is read.
 *
 * <p>Figures are those of the page's charts: {@code learned} and {@code commits} a second, {@code
 * lag} in events, {@code visibleP50} and {@code visibleP99} in seconds from a label to the commit
 * that has it, and by task and by who gave the probability {@code entropy:<by>:<task>} and {@code
 * calibration:<by>:<task>}. Of the gate: {@code gate:<phase>}, 1 in the phase that it is in and 0
 * in the others, {@code frozen}, 1 where labels are missing, and by task {@code
 * worse:<end>:<task>}.
 */
final class LearningReading {
  /** No model learns. */
  static final LearningReading NOTHING = new LearningReading();

  private static final String PREFIX = "wukong.online.";
  private static final String EXAMPLES = "wukong.online.examples";
  private static final String ENTROPY = "wukong.online.normalized.entropy";
  private static final String CALIBRATION = "wukong.online.calibration";
  private static final String LAG = "wukong.online.log.lag";
  private static final String COMMIT = "wukong.online.commit";
  private static final String GATE = "wukong.online.gate";
  private static final String WORSE = "wukong.online.worse";
  private static final String FROZEN = "wukong.join.frozen";
  private static final String VISIBLE = "wukong.online.visible";

  private final Map<String, Double> now = new HashMap<>();
  private final Histogram visible = new Histogram();
  private double learned;
  private long commits;

  /** Whether {@link #add} has a use for meters of this name. */
  static boolean wants(String meter) {
    return meter.startsWith(PREFIX) || meter.equals(FROZEN);
  }

  /** Adds one of the model's meters. */
  void add(Meter meter) {
    Meter.Id id = meter.getId();
    switch (meter) {
      case Gauge gauge when id.getName().equals(LAG) -> now.put("lag", gauge.value());
      case Gauge gauge when id.getName().equals(ENTROPY) ->
          now.put("entropy:" + byAndTask(id), gauge.value());
      case Gauge gauge when id.getName().equals(CALIBRATION) ->
          now.put("calibration:" + byAndTask(id), gauge.value());
      case Gauge gauge when id.getName().equals(GATE) ->
          now.put("gate:" + tag(id, "phase"), gauge.value());
      case Gauge gauge when id.getName().equals(WORSE) ->
          now.put("worse:" + tag(id, "end") + ":" + tag(id, "task"), gauge.value());
      case Gauge gauge when id.getName().equals(FROZEN) -> now.put("frozen", gauge.value());
      case Counter counter
          when id.getName().equals(EXAMPLES) && tag(id, "outcome").equals("learned") ->
          learned += counter.count();
      case Timer timer when id.getName().equals(COMMIT) -> commits += timer.count();
      case Timer timer when id.getName().equals(VISIBLE) -> visible.add(timer.takeSnapshot());
      default -> {}
    }
  }

  private static String byAndTask(Meter.Id id) {
    return tag(id, "by") + ":" + tag(id, "task");
  }

  private static String tag(Meter.Id id, String name) {
    String value = id.getTag(name);
    return value == null ? "" : value;
  }

  /** Gives what is so now to {@code to}; not all of it is a number. */
  void putState(BiConsumer<String, Double> to) {
    now.forEach(to);
  }

  /** Gives what happened in the {@code seconds} since {@code earlier} to {@code to}. */
  void putChange(LearningReading earlier, double seconds, BiConsumer<String, Double> to) {
    to.accept("learned", (learned - earlier.learned) / seconds);
    to.accept("commits", (commits - earlier.commits) / seconds);
    to.accept("visibleP50", visible.quantileSince(earlier.visible, 0.5) / 1e3);
    to.accept("visibleP99", visible.quantileSince(earlier.visible, 0.99) / 1e3);
  }
}
