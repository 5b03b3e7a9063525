package dev.wukong.serving.joining;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * How predictions become examples.
 *
 * @param tasks names, in the order of their examples' {@link Example#task}
 * @param byTask a policy for each of {@code tasks}
 * @param exposure how long after it was logged a prediction may be exposed, about: up to a
 *     sixteenth less
 * @param grace how much later than in time a label may be logged, before it is taken for missing
 * @param horizon how long labels are taken after what they need was logged
 * @param negatives the share of negative examples that is kept, each for several
 */
public record JoinPolicy(
    List<String> tasks,
    Map<String, TaskPolicy> byTask,
    Duration exposure,
    Duration grace,
    Duration horizon,
    double negatives) {
  /** The longest that a duration can be. */
  public static final Duration LONGEST = Duration.ofDays(365);

  /** The shortest time in which a prediction can be exposed. */
  public static final Duration SHORTEST_EXPOSURE = Duration.ofSeconds(1);

  public JoinPolicy {
    tasks = List.copyOf(tasks);
    byTask = Map.copyOf(byTask);
    Set<String> names = new HashSet<>(tasks);
    if (tasks.isEmpty() || names.size() != tasks.size()) {
      throw new IllegalArgumentException("tasks are %s, must be some, none twice".formatted(tasks));
    }
    if (!byTask.keySet().equals(names)) {
      throw new IllegalArgumentException(
          "byTask has %s, must have just the tasks %s"
              .formatted(byTask.keySet().stream().sorted().toList(), tasks));
    }
    check("exposure", exposure, SHORTEST_EXPOSURE, LONGEST);
    check("grace", grace, Duration.ZERO, LONGEST);
    check("horizon", horizon, exposure, LONGEST); // Or who is forgotten could be exposed again.
    if (!(negatives > 0 && negatives <= 1)) {
      throw new IllegalArgumentException(
          "negatives is %s, must be more than 0 and up to 1".formatted(negatives));
    }
    for (String task : tasks) {
      TaskPolicy policy = policy(byTask, task);
      check(
          "window of task '%s'".formatted(task),
          policy.window(),
          Duration.ZERO,
          horizon.minus(grace));
      Set<String> before = new HashSet<>();
      for (String at = task; at != null; at = policy(byTask, at).given().orElse(null)) {
        if (!names.contains(at)) {
          throw new IllegalArgumentException(
              "given of task '%s' leads to '%s', must be one of the tasks %s"
                  .formatted(task, at, tasks));
        }
        if (!before.add(at)) {
          throw new IllegalArgumentException(
              "given of task '%s' leads to '%s' again, must not lead back".formatted(task, at));
        }
      }
    }
  }

  private static void check(String field, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new IllegalArgumentException(
          "%s is %s, must be %s to %s".formatted(field, value, least, most));
    }
  }

  private static TaskPolicy policy(Map<String, TaskPolicy> byTask, String task) {
    TaskPolicy policy = byTask.get(task);
    if (policy == null) {
      throw new IllegalArgumentException(
          "task '%s' has no policy, must be one of %s"
              .formatted(task, byTask.keySet().stream().sorted().toList()));
    }
    return policy;
  }

  /** That of a task. */
  public TaskPolicy of(String task) {
    return policy(byTask, task);
  }

  /** The tasks that there are examples of only where {@code task} has a positive label. */
  List<String> givenBy(String task) {
    return tasks.stream().filter(other -> of(other).given().equals(Optional.of(task))).toList();
  }
}
