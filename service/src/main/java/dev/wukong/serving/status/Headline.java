package dev.wukong.serving.status;

import dev.wukong.serving.hosting.BatchersHealthIndicator;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ModelsHealthIndicator;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.hosting.VersionState;
import dev.wukong.serving.hosting.WatcherHealthIndicator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;

/**
 * What a person on call must know first: whether the service is ready, as its probes say, and what
 * is not as it should be. Any thread.
 */
final class Headline {
  /** Samples that count as now. */
  static final int RECENT = 30;

  /** Refusals whose cause lies here, and not with callers. */
  private static final List<String> OURS =
      List.of("overloaded", "deadline", "not_ready", "not_finite", "defect");

  /** How the service does. */
  enum State {
    /** It answers, and nothing is wrong. */
    READY,
    /** It answers, but something needs a person. */
    DEGRADED,
    /** The readiness probe fails. */
    NOT_READY
  }

  /**
   * What is said.
   *
   * @param reasons for people, the worst first; empty where it is ready
   */
  record Said(State state, List<String> reasons) {}

  private final ModelHost host;
  private final ModelsHealthIndicator models;
  private final BatchersHealthIndicator batchers;
  private final WatcherHealthIndicator watcher;
  private final HealthIndicator online;
  private final BooleanSupplier accepting;

  /**
   * Over the parts of the probes.
   *
   * @param online the part of ingest
   * @param accepting whether calls are taken: false while the service stops
   */
  Headline(
      ModelHost host,
      ModelsHealthIndicator models,
      BatchersHealthIndicator batchers,
      WatcherHealthIndicator watcher,
      HealthIndicator online,
      BooleanSupplier accepting) {
    this.host = host;
    this.models = models;
    this.batchers = batchers;
    this.watcher = watcher;
    this.online = online;
    this.accepting = accepting;
  }

  /** What is to be said now, {@code recent} being the newest samples. */
  Said say(List<Sample> recent) {
    List<String> reasons = new ArrayList<>();
    boolean stops = !accepting.getAsBoolean();
    if (stops) {
      reasons.add("the service does not take calls: it starts or stops");
    }
    List<ServedModel> all = host.models();
    if (all.isEmpty()) {
      reasons.add("no model has been found yet");
    }
    for (ServedModel model : all) {
      if (model.servingVersion() == 0) {
        reasons.add(
            model.hasServed()
                ? "model '%s' has served, but no version of it does now".formatted(model.name())
                : "model '%s' has no version that serves yet".formatted(model.name()));
      }
    }
    if (!up(batchers)) {
      reasons.add("the batch threads of a model have ended: it answers nothing any more; restart");
    }
    if (!up(watcher)) {
      reasons.add("the thread that looks for new versions has ended: none will be seen; restart");
    }
    addNotLearned(reasons);
    all.forEach(model -> addRefused(model, reasons));
    all.forEach(model -> addLost(model, reasons));
    addRefusals(recent, reasons);
    State state =
        stops || !up(models) ? State.NOT_READY : reasons.isEmpty() ? State.READY : State.DEGRADED;
    return new Said(state, reasons);
  }

  private static boolean up(HealthIndicator part) {
    Health health = part.health();
    return health != null && health.getStatus().equals(Status.UP);
  }

  private void addNotLearned(List<String> reasons) {
    Health health = online.health();
    if (health == null || health.getStatus().equals(Status.UP)) {
      return;
    }
    String log = String.valueOf(health.getDetails().getOrDefault("log", ""));
    if (!log.isEmpty()) {
      reasons.add("feedback is refused: " + log);
    }
    if ("HALTED".equals(health.getDetails().get("training"))) {
      reasons.add(
          "online training has halted, predictions go on: " + health.getDetails().get("reason"));
    }
  }

  private static void addRefused(ServedModel model, List<String> reasons) {
    long serving = model.servingVersion();
    for (VersionState version : model.versions()) {
      if (version.version() > serving
          && version.phase() instanceof VersionState.Failed(String why)) {
        reasons.add(
            "model '%s': version %d cannot be used: %s"
                .formatted(model.name(), version.version(), why));
      }
    }
  }

  private static void addLost(ServedModel model, List<String> reasons) {
    Map<String, Double> shares = model.shares();
    model
        .lostLabels()
        .forEach(
            (label, version) ->
                reasons.add(
                    "model '%s': label '%s' points to version %d, which is not loaded%s"
                        .formatted(
                            model.name(),
                            label,
                            version,
                            shares.containsKey(label)
                                ? "; its share of the requests goes to version %d"
                                    .formatted(model.servingVersion())
                                : "")));
  }

  private static void addRefusals(List<Sample> recent, List<String> reasons) {
    Map<String, Double> counts = new TreeMap<>();
    for (int i = 1; i < recent.size(); i++) {
      double seconds = (recent.get(i).atMillis() - recent.get(i - 1).atMillis()) / 1e3;
      recent
          .get(i)
          .refused()
          .forEach((reason, rate) -> counts.merge(reason, rate * seconds, Double::sum));
    }
    for (String reason : OURS) {
      double count = counts.getOrDefault(reason, 0.0);
      if (count > 0) {
        reasons.add(
            "about %.0f requests got no answer in the last %d s: %s"
                .formatted(Math.max(1, count), RECENT, reason));
      }
    }
  }
}
