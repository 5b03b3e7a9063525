package dev.wukong.serving.joining;

import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.ScoredRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A policy and a log by chance, with all that may go wrong in one.
 *
 * @param gone positions of predictions that are in the log no more
 */
record JoinStream(JoinPolicy policy, List<Logged> events, Set<Long> gone) {
  private static final List<String> NAMES = List.of("click", "like", "buy", "again");

  /** The same for the same {@code seed}. */
  static JoinStream of(long seed, int length) {
    SplittableRandom random = new SplittableRandom(seed);
    JoinPolicy policy = policy(random);
    long horizonMs = policy.horizon().toMillis();
    List<Logged> events = new ArrayList<>();
    List<Long> predictions = new ArrayList<>();
    Set<Long> gone = new HashSet<>();
    long position = random.nextInt(5);
    long nowMs = random.nextLong(1, 1L << 40);
    // Streams of many short steps, and some with long ones.
    long stepMs = Math.max(2, horizonMs / random.nextInt(10, 500));
    int unseen = 0; // Events to come in which nobody is shown anything.
    while (events.size() < length) {
      nowMs += random.nextInt(3) == 0 ? 0 : random.nextLong(stepMs);
      nowMs += random.nextInt(200) == 0 ? random.nextLong(2 * horizonMs) : 0;
      boolean other = random.nextInt(20) == 0;
      Event event;
      int what = random.nextInt(100);
      if (predictions.isEmpty() || what < 12) {
        int candidates = random.nextInt(1, 6);
        ScoredRequest request =
            JoinTrial.request(position + 1, candidates, random.nextInt(3), policy.tasks().size());
        event = new Event.Scored(request);
        if (!other) {
          predictions.add(position);
          if (random.nextInt(15) == 0) {
            gone.add(position);
          }
        }
      } else {
        // Mostly new ones; now and then one that is not there yet.
        int back = Math.min(predictions.size() - 1, (int) (1 / (0.02 + random.nextDouble())));
        long scored =
            random.nextInt(60) == 0
                ? position + random.nextInt(3)
                : predictions.get(predictions.size() - 1 - back);
        long timeMs =
            switch (random.nextInt(12)) {
              case 0 -> Long.MIN_VALUE;
              case 1 -> Long.MAX_VALUE;
              default -> nowMs - random.nextLong(stepMs) + random.nextLong(stepMs);
            };
        unseen = random.nextInt(150) == 0 ? 30 : unseen - 1;
        if (what < 40 && unseen > 0) {
          event = new Event.Boundary();
        } else if (what < 40) {
          int[] positions =
              random.ints(random.nextInt(7), random.nextInt(9) == 0 ? -1 : 0, 6).toArray();
          event = new Event.Exposed(scored, positions, timeMs);
        } else if (what < 92) {
          String task =
              random.nextInt(40) == 0
                  ? "unknown"
                  : policy.tasks().get(random.nextInt(policy.tasks().size()));
          float value = random.nextInt(3) == 0 ? 0 : random.nextBoolean() ? 1 : 0.25f;
          event =
              new Event.Labelled(
                  scored, random.nextInt(-1, 5), task, value, (float) random.nextInt(4), timeMs);
        } else if (what < 96) {
          event = new Event.Boundary();
        } else if (what < 97) {
          event = new Event.Ordered(Event.Order.STEP_BACK, random.nextInt(9));
        } else {
          event = new Event.Frozen(random.nextInt(3) == 0);
        }
      }
      events.add(new Logged(position, nowMs, other ? "other" : JoinTrial.MODEL, event));
      position++;
    }
    // At the end all is due.
    long endMs = nowMs + 4 * horizonMs;
    events.add(new Logged(position, nowMs, JoinTrial.MODEL, new Event.Frozen(false)));
    events.add(new Logged(position + 1, endMs, JoinTrial.MODEL, new Event.Boundary()));
    long graceMs = policy.grace().toMillis(); // Nothing closes in it: it was silent for long.
    events.add(new Logged(position + 2, endMs + graceMs, JoinTrial.MODEL, new Event.Boundary()));
    return new JoinStream(policy, Collections.unmodifiableList(events), gone);
  }

  private static JoinPolicy policy(SplittableRandom random) {
    int exposureMs = random.nextInt(1000, 20_000);
    int horizonMs = exposureMs + (random.nextBoolean() ? 0 : random.nextInt(60_000));
    int graceMs = random.nextInt(3) == 0 ? 0 : random.nextInt(horizonMs / random.nextInt(2, 20));
    List<String> tasks = NAMES.subList(0, random.nextInt(1, NAMES.size() + 1));
    List<String> order = new ArrayList<>(tasks);
    if (random.nextBoolean()) {
      Collections.reverse(order);
    }
    Map<String, TaskPolicy> byTask = new HashMap<>();
    for (int i = 0; i < tasks.size(); i++) {
      Weighting weighting = List.of(Weighting.values()).get(random.nextInt(4));
      int windowMs =
          random.nextInt(4) == 0
              ? 0
              : random.nextInt(1 + (horizonMs - graceMs) / random.nextInt(1, 20));
      Optional<String> given =
          i == 0 || random.nextBoolean()
              ? Optional.empty()
              : Optional.of(tasks.get(random.nextInt(i)));
      Duration window = Duration.ofMillis(weighting == Weighting.FAKE_NEGATIVE ? 0 : windowMs);
      byTask.put(tasks.get(i), new TaskPolicy(window, weighting, given));
    }
    return new JoinPolicy(
        order,
        byTask,
        Duration.ofMillis(exposureMs),
        Duration.ofMillis(graceMs),
        Duration.ofMillis(horizonMs),
        random.nextBoolean() ? 1 : random.nextDouble(0.1, 1));
  }

  /** The prediction at {@code position}, by whatever model. */
  Map<Long, ScoredRequest> requests() {
    Map<Long, ScoredRequest> requests = new HashMap<>();
    for (Logged logged : events) {
      if (logged.event() instanceof Event.Scored made && !gone.contains(logged.position())) {
        requests.put(logged.position(), made.request());
      }
    }
    return requests;
  }
}
