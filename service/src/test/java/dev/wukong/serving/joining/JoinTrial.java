package dev.wukong.serving.joining;

import dev.wukong.data.EncodedRows;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.events.ScoredVersion;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A log made by hand, and the join of it. Times are in seconds; the log never stops saying them. In
 * it, tasks have long had both kinds of examples, and always do, unless it begins {@link #cold}.
 */
final class JoinTrial {
  static final String MODEL = "ctr";
  static final RowsView VIEW = new RowsView(MODEL, 1, 0);
  private static final long TICK_MS = 10_000;
  private static final long FOREVER = 1L << 50;

  final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  final StateStore store;
  final Map<Long, ScoredRequest> scored = new HashMap<>();
  private final JoinPolicy policy;
  private final JoinMeters meters;
  private Join join;
  private final List<Example> meanwhile = new ArrayList<>();
  private long position;
  private long version;
  private long nowMs;

  JoinTrial(JoinPolicy policy) {
    this(policy, new HeapRowStore());
    JoinProgress flowing = new JoinProgress();
    for (String task : policy.tasks()) {
      flowing
          .tasks()
          .add(new JoinProgress.TaskProgress(task, -1, 0, new Flow(-FOREVER, FOREVER, 0)));
    }
    commit(List.of(new StateChange.Put(StateKind.CURSOR, Join.FIRST_CURSOR, flowing.bytes())));
    restart();
  }

  /** One whose log is just what is said. */
  static JoinTrial cold(JoinPolicy policy) {
    return new JoinTrial(policy, new HeapRowStore());
  }

  JoinTrial(JoinPolicy policy, StateStore store) {
    this.policy = policy;
    this.store = store;
    this.meters = new JoinMeters(MODEL, registry).joining(policy.tasks());
    this.join = made(policy);
  }

  private Join made(JoinPolicy by) {
    return new Join(store, VIEW, by, scored::get, meters);
  }

  /** One that has no context, or two, and two features. */
  static ScoredRequest request(long seed, int candidates, int contexts, int tasks) {
    long[] ids = new long[2 * candidates];
    float[] weights = new float[2 * candidates];
    float[] dense = new float[candidates];
    float[] probabilities = new float[candidates * tasks];
    for (int i = 0; i < ids.length; i++) {
      weights[i] = (float) i / 4;
    }
    Arrays.setAll(ids, i -> i % 5 == 4 ? -1 : (seed << 20) + i);
    for (int i = 0; i < candidates; i++) {
      dense[i] = (float) (seed % 100) + (float) i / 8;
    }
    for (int i = 0; i < probabilities.length; i++) {
      probabilities[i] = 1 / (2 + (float) (seed % 10) + (float) i);
    }
    long[] shared = new long[contexts];
    Arrays.setAll(shared, i -> 1000 * seed + i);
    int[] contextOf = new int[contexts == 0 ? 0 : candidates];
    Arrays.setAll(contextOf, i -> i % contexts);
    return new ScoredRequest(
        new PredictionId(seed * 0x9E3779B97F4A7C15L, ~seed),
        new ScoredVersion(1, 2, seed, 3),
        -seed,
        new EncodedRows(contexts, shared, new float[0], new float[0]),
        new EncodedRows(candidates, ids, weights, dense),
        contextOf,
        tasks,
        probabilities);
  }

  /** Time goes on, and the log says so. */
  JoinTrial at(long seconds) {
    while (1000 * seconds - nowMs > TICK_MS) {
      nowMs += TICK_MS;
      take(new Event.Boundary(), meanwhile);
    }
    nowMs = 1000 * seconds;
    return this;
  }

  /** Time goes on while nobody follows the log. */
  JoinTrial after(long seconds) {
    nowMs = 1000 * seconds;
    return this;
  }

  /** A prediction was made; its position. */
  long score(int candidates) {
    scored.put(position, request(position + 1, candidates, 1, policy.tasks().size()));
    List<String> none = take(new Event.Scored(scored.get(position)));
    if (!none.isEmpty()) {
      throw new AssertionError("examples of what nobody saw: " + none);
    }
    return position - 1;
  }

  List<String> expose(long prediction, int... positions) {
    return take(new Event.Exposed(prediction, positions, nowMs));
  }

  List<String> label(long prediction, int candidate, String task, double value) {
    return label(prediction, candidate, task, value, 1, nowMs);
  }

  List<String> label(
      long prediction, int candidate, String task, double value, double weight, long timeMs) {
    return take(
        new Event.Labelled(prediction, candidate, task, (float) value, (float) weight, timeMs));
  }

  List<String> pass() {
    return take(new Event.Boundary());
  }

  /** What came out, in short. */
  List<String> take(Event event) {
    return examples(event).stream().map(this::shortly).toList();
  }

  /** Also of the time that has passed. */
  List<Example> examples(Event event) {
    List<Example> examples = new ArrayList<>(meanwhile);
    meanwhile.clear();
    take(event, examples);
    return examples;
  }

  private void take(Event event, List<Example> examples) {
    join.take(new Logged(position++, nowMs, MODEL, event), examples::add);
  }

  private String shortly(Example example) {
    return "%s %s %d/%d %s x %s"
        .formatted(
            example.kind(),
            policy.tasks().get(example.task()),
            example.shown().scored(),
            example.shown().position(),
            example.label(),
            example.weight());
  }

  /** All of an example but its weight and how many labels come in time. */
  static String fully(Example example) {
    Shown shown = example.shown();
    return String.join(
        " ",
        List.of(
            example.kind().toString(),
            "task " + example.task(),
            shown.scored() + "/" + shown.position(),
            shown.id().toString(),
            shown.version().toString(),
            "encoding " + shown.encoding(),
            text(shown.context()),
            text(shown.candidate()),
            Arrays.toString(shown.probabilities()),
            "label " + example.label(),
            example.weighting().toString(),
            "at " + example.atMs()));
  }

  private static String text(EncodedRows rows) {
    return rows.rows()
        + Arrays.toString(rows.ids())
        + Arrays.toString(rows.weights())
        + Arrays.toString(rows.dense());
  }

  void commit() {
    commit(join.drain());
  }

  private void commit(List<StateChange> changes) {
    store.apply(new RowCommit(new RowsView(MODEL, 1, ++version), List.of()), changes);
  }

  /** Another one goes on from what was committed. */
  void restart(JoinPolicy by) {
    join = made(by);
  }

  void restart() {
    restart(policy);
  }

  Join join() {
    return join;
  }

  /** How much is kept of a kind after a commit. */
  int kept(StateKind kind) {
    commit();
    return store.states(VIEW, kind, -1, 1000).size();
  }

  double labels(String outcome) {
    return registry.get("wukong.join.labels").tag("outcome", outcome).counter().count();
  }

  double exposures(String outcome) {
    return registry.get("wukong.join.exposures").tag("outcome", outcome).counter().count();
  }

  double gauge(String name, @Nullable String task) {
    var found = registry.get("wukong.join." + name);
    return (task == null ? found : found.tag("task", task)).gauge().value();
  }

  /** A policy of one task. */
  static JoinPolicy policy(TaskPolicy click) {
    return policy(List.of("click"), Map.of("click", click));
  }

  /** An hour's horizon, ten seconds' grace, half an hour to be exposed. */
  static JoinPolicy policy(List<String> tasks, Map<String, TaskPolicy> byTask) {
    return new JoinPolicy(
        tasks, byTask, Duration.ofMinutes(32), Duration.ofSeconds(10), Duration.ofHours(1), 1);
  }
}
