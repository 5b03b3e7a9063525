package dev.wukong.serving;

import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Precision;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.joining.JoinPolicy;
import dev.wukong.serving.joining.TaskPolicy;
import dev.wukong.serving.joining.Weighting;
import dev.wukong.serving.lifecycle.RowPolicy;
import dev.wukong.serving.retraining.LearnerOptions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How a model learns from what becomes of its predictions.
 *
 * @param model its name; empty: none learns
 * @param eventsDir of the log of events; one process at a time
 * @param eventsQuota that the log may take on disk
 * @param eventsKeep how long events stay in it, as far as they find room
 * @param sample share of predictions whose features are logged
 * @param batch examples of a step
 * @param threads of a step
 * @param device where steps are made; empty: on the first of {@code wukong.engine.device}
 * @param share of one processor's time that training takes at most while requests are answered
 * @param rate multiplies the learning rates that the bundle was trained with; 0: what suits {@code
 *     batch}
 * @param linger how long examples wait for others that make a step full
 * @param commitEvery time between commits, each of which is visible at once
 * @param window how long labels are waited for, of tasks that are not in {@code windows}
 * @param windows the same by task
 * @param given by task: another one without whose positive label there is no example of it
 * @param weighting by task: how it makes up for labels that come late
 * @param grace how much later than in time a label may arrive
 * @param exposure how long a prediction may be exposed
 * @param horizon how long labels are taken
 * @param negatives share of negative examples that is kept
 * @param stallBreaker whether nobody is taken for a negative while labels are missing
 * @param sights how often an id must be seen before it gets a row
 * @param sightsPeriod an id that is not seen in two of these begins anew
 * @param sightsCounted ids without a row that are counted at most
 * @param rowAge how long a row stays that is not learned from; 0: for ever
 * @param rowsMost rows that may be
 * @param signingKey with which exports are signed; empty: they are not
 * @param gate when what was learned is visible
 */
public record OnlineProperties(
    @DefaultValue("") String model,
    @DefaultValue("events") Folder eventsDir,
    @DefaultValue("8GB") DataSize eventsQuota,
    @DefaultValue("1d") Duration eventsKeep,
    @DefaultValue("1") double sample,
    @DefaultValue("256") int batch,
    @DefaultValue("1") int threads,
    @DefaultValue("") String device,
    @DefaultValue("0.5") double share,
    @DefaultValue("0") double rate,
    @DefaultValue("5s") Duration linger,
    @DefaultValue("1s") Duration commitEvery,
    @DefaultValue("10m") Duration window,
    @DefaultValue Map<String, Duration> windows,
    @DefaultValue Map<String, String> given,
    @DefaultValue Map<String, Weighting> weighting,
    @DefaultValue("1m") Duration grace,
    @DefaultValue("30m") Duration exposure,
    @DefaultValue("1d") Duration horizon,
    @DefaultValue("1") double negatives,
    @DefaultValue("true") boolean stallBreaker,
    @DefaultValue("3") int sights,
    @DefaultValue("1d") Duration sightsPeriod,
    @DefaultValue("1000000") int sightsCounted,
    @DefaultValue("0s") Duration rowAge,
    @DefaultValue("100000000") long rowsMost,
    @DefaultValue("") String signingKey,
    @DefaultValue GateProperties gate) {
  private static final Logger log = LoggerFactory.getLogger(OnlineProperties.class);

  private static final int MOST_BATCH = 1 << 16;
  private static final String WITHIN =
      ": window and grace must be over within wukong.online.horizon";
  private static final int MOST_THREADS = 1024;
  private static final double MOST_RATE = 1000;
  private static final double LEAST_SHARE = 0.01;
  private static final int MOST_COUNTED = 1 << 28;

  public OnlineProperties {
    SettingException.require(
        model.isEmpty() || BundleStore.isModel(model),
        "wukong.online.model",
        model,
        "is a name of 1 to 64 of a-z, 0-9, '_' and '-'");
    SettingException.require(
        sample > 0 && sample <= 1, "wukong.online.sample", sample, "is more than 0, up to 1");
    SettingException.between("wukong.online.batch", batch, 1, MOST_BATCH);
    SettingException.between("wukong.online.threads", threads, 1, MOST_THREADS);
    try {
      Device _ = Device.parse(device.isEmpty() ? "cpu" : device);
    } catch (IllegalArgumentException e) {
      throw new SettingException(
          ("wukong.online.device is '%s', allowed are cpu, cuda:0, cuda:1, ..., and nothing for the"
                  + " first of wukong.engine.device")
              .formatted(device),
          e);
    }
    SettingException.require(
        rate >= 0 && rate <= MOST_RATE,
        "wukong.online.rate",
        rate,
        "is 0 (what suits the batch) to %s".formatted(MOST_RATE));
    SettingException.require(
        share >= LEAST_SHARE && share <= 1,
        "wukong.online.share",
        share,
        "is %s up to 1".formatted(LEAST_SHARE));
    SettingException.require(
        !linger.isNegative(), "wukong.online.linger", linger, "is 0s (no longer) or more");
    ServingProperties.requireTime("wukong.online.commit-every", commitEvery);
    requireWindow("wukong.online.horizon", horizon, JoinPolicy.LONGEST, "");
    requireWindow("wukong.online.grace", grace, horizon, WITHIN);
    Duration longest = horizon.minus(grace);
    requireWindow("wukong.online.window", window, longest, WITHIN);
    windows.forEach(
        (task, time) -> {
          boolean waits = weighting.get(task) != Weighting.FAKE_NEGATIVE;
          requireWindow(
              "wukong.online.windows." + task,
              time,
              waits ? longest : Duration.ZERO,
              waits ? WITHIN : ": with the weighting fake-negative nothing is waited for");
        });
    SettingException.require(
        exposure.compareTo(JoinPolicy.SHORTEST_EXPOSURE) >= 0 && exposure.compareTo(horizon) <= 0,
        "wukong.online.exposure",
        exposure,
        "is 1s up to wukong.online.horizon, %s".formatted(SettingException.time(horizon)));
    SettingException.require(
        negatives > 0 && negatives <= 1,
        "wukong.online.negatives",
        negatives,
        "is more than 0, up to 1");
    SettingException.between("wukong.online.sights", sights, 1, RowPolicy.MOST_SIGHTS);
    SettingException.between("wukong.online.sights-counted", sightsCounted, 1, MOST_COUNTED);
    requirePositive("wukong.online.sights-period", sightsPeriod);
    requirePositive("wukong.online.events-keep", eventsKeep);
    SettingException.require(
        !rowAge.isNegative(), "wukong.online.row-age", rowAge, "is 0s (for ever) or more");
    SettingException.atLeast("wukong.online.rows-most", rowsMost, 1);
    SettingException.require(
        eventsQuota.toGigabytes() >= 1,
        "wukong.online.events-quota",
        eventsQuota,
        "is 1GB or more");
  }

  private static void requirePositive(String property, Duration time) {
    SettingException.require(time.isPositive(), property, time, "is more than 0s");
  }

  private static void requireWindow(String property, Duration time, Duration most, String why) {
    SettingException.require(
        !time.isNegative() && time.compareTo(most) <= 0,
        property,
        time,
        "is 0s up to %s%s".formatted(SettingException.time(most), why));
  }

  /** Whether some model learns. */
  boolean enabled() {
    return !model.isEmpty();
  }

  /**
   * How a model with these tasks learns.
   *
   * @throws IllegalArgumentException where the settings do not fit the tasks; the message says
   *     which
   */
  LearnerOptions options(List<String> tasks, Device on, Precision precision) {
    requireKnown("windows", windows, tasks);
    requireKnown("given", given, tasks);
    requireKnown("weighting", weighting, tasks);
    Map<String, TaskPolicy> byTask = new HashMap<>();
    for (String task : tasks) {
      Weighting by = weighting.getOrDefault(task, Weighting.PLAIN);
      Duration usual = by == Weighting.FAKE_NEGATIVE ? Duration.ZERO : window;
      byTask.put(
          task,
          new TaskPolicy(
              windows.getOrDefault(task, usual), by, Optional.ofNullable(given.get(task))));
    }
    return new LearnerOptions(
        batch,
        threads,
        on,
        rate,
        linger,
        precision,
        new JoinPolicy(tasks, byTask, exposure, grace, horizon, negatives),
        new RowPolicy(sights, rowAge.isZero() ? null : rowAge),
        sightsPeriod,
        sightsCounted,
        rowsMost,
        gate.policy());
  }

  /**
   * Where steps are made: as set, or on the processors where that is wanted and the GPU that is set
   * cannot be used.
   *
   * @throws SettingException naming what is missing, where it is not
   */
  Device usableDevice(EngineOptions engine, EngineProperties.Fallback fallback) {
    Device wanted = device.isEmpty() ? engine.devices().getFirst() : Device.parse(device);
    try {
      OnnxRuntime.require(wanted, engine.gpu().cuda());
      return wanted;
    } catch (DeviceException e) {
      return switch (fallback) {
        // Not the cause, which would be reported as that of wukong.engine.device.
        case NONE ->
            throw new SettingException(
                "wukong.online.device: %s; wukong.engine.fallback=cpu trains on the CPU instead"
                    .formatted(e.getMessage()));
        case CPU -> {
          log.warn("{}: training on the CPU, as wukong.engine.fallback=cpu says", e.getMessage());
          yield new Device.Cpu();
        }
      };
    }
  }

  private static void requireKnown(String what, Map<String, ?> byTask, List<String> tasks) {
    byTask
        .keySet()
        .forEach(
            task -> {
              if (!tasks.contains(task)) {
                throw new IllegalArgumentException(
                    "wukong.online.%s.%s names no task, the model's are %s"
                        .formatted(what, task, tasks));
              }
            });
  }
}
