package dev.wukong.serving.retraining;

import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.joining.JoinPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Sees that labels are missing: candidates go on being exposed, and of what used to be said of so
 * many nothing comes. Whoever takes none for a negative then would learn that nobody likes
 * anything. By the log's time; what it knows does not survive a restart, what the log says does.
 * One thread, that of training.
 */
final class StallBreaker {
  /** A wait of a quarter of the window harms little: most labels come sooner than that. */
  private static final int PART_OF_WINDOW = 4;

  private final List<LabelFlow> tasks = new ArrayList<>();

  /** What the log says, or will once what was asked for is in it. */
  private boolean frozen;

  /**
   * A breaker that knows no rate yet.
   *
   * @param frozen what the log says so far
   */
  StallBreaker(JoinPolicy policy, boolean frozen) {
    for (String task : policy.tasks()) {
      Duration patience = policy.of(task).window().dividedBy(PART_OF_WINDOW);
      tasks.add(new LabelFlow(task, patience.toMillis()));
    }
    this.frozen = frozen;
  }

  /** Takes the next event of the model; what is to be said in the log now. */
  Optional<Event.Frozen> take(Logged event) {
    long nowMs = event.atMs();
    switch (event.event()) {
      case Event.Exposed exposed ->
          tasks.forEach(of -> of.exposed(nowMs, exposed.positions().length));
      case Event.Labelled labelled ->
          tasks.stream()
              .filter(of -> of.task().equals(labelled.task()))
              .forEach(of -> of.labelled(nowMs));
      case Event.Frozen of -> frozen = of.on();
      case Event.Scored _, Event.Boundary _, Event.Ordered _, Event.Sequenced _ -> {
        // Time has passed.
      }
    }
    tasks.forEach(of -> of.pass(nowMs));
    // Where the log alone says so, nobody knows which task it was: the first that has labels again.
    boolean missing =
        missing().isPresent() || (frozen && tasks.stream().noneMatch(LabelFlow::flows));
    if (missing == frozen) {
      return Optional.empty();
    }
    frozen = missing;
    return Optional.of(new Event.Frozen(missing));
  }

  /** Whether labels are missing, by the log. */
  boolean frozen() {
    return frozen;
  }

  /** The task of which none come, and what is known of it. */
  Optional<String> missing() {
    return tasks.stream().filter(LabelFlow::missing).map(LabelFlow::reason).findFirst();
  }
}
