package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.RowEncoder;
import dev.wukong.data.RowKey;
import dev.wukong.data.RowSource;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.runtime.Device;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowFate;
import dev.wukong.serving.embedding.RowReader;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.events.ScoredVersion;
import dev.wukong.serving.gating.Decision;
import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePolicy;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.joining.JoinMeters;
import dev.wukong.serving.joining.JoinPolicy;
import dev.wukong.serving.joining.TaskPolicy;
import dev.wukong.serving.joining.Weighting;
import dev.wukong.serving.lifecycle.LifecycleMeters;
import dev.wukong.serving.lifecycle.RowPolicy;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A log of simulated traffic, and what a bundle's model becomes by it, over any store. */
final class LearnerTrial {
  static final List<String> TASKS = List.of(Simulator.CLICK, Simulator.CONVERSION);

  /** Lets nearly all pass, and soon, so that rows that nothing protects any more may go. */
  private static final GatePolicy GATE = gate(Duration.ofSeconds(1), Duration.ofSeconds(3));

  private static GatePolicy gate(Duration every, Duration patience) {
    return new GatePolicy(
        GateMode.DIRECT,
        every,
        patience,
        1,
        100,
        100,
        100,
        1_000,
        Optional.of("segment"),
        List.of(1.0));
  }

  private static final int CANDIDATES = 10;
  private static final int WIDTH = 8;
  private static final long STEP_MS = 50;

  /** Requests after one of which something is erased. */
  private static final int ERASED_EACH = 20;

  private final Bundle bundle;
  private final LearnerOptions options;
  private int promoted;
  private int takenBack;
  final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final JoinMeters ofJoin = new JoinMeters(LearningModel.NAME, registry);

  LearnerTrial(Bundle bundle, LearnerOptions options) {
    this.bundle = bundle;
    this.options = options;
  }

  /** How it learns where a test does not care. */
  static LearnerOptions options() {
    return options(Duration.ofSeconds(2), Duration.ofSeconds(1), Duration.ofSeconds(1));
  }

  /** The same with a gate that looks for long enough to tell that labels are strange. */
  static LearnerOptions patient() {
    Duration second = Duration.ofSeconds(1);
    GatePolicy gate = gate(second.multipliedBy(4), second.multipliedBy(12));
    return options(
        second.multipliedBy(2), second, second, gate, new RowPolicy(3, second.multipliedBy(8)));
  }

  /** The same with such a gate, where rows stay for ever. */
  static LearnerOptions staying(GatePolicy gate) {
    Duration second = Duration.ofSeconds(1);
    return options(second.multipliedBy(2), second, second, gate, new RowPolicy(3, null));
  }

  /** The same with another window, twice as long for conversions, another grace and linger. */
  static LearnerOptions options(Duration window, Duration grace, Duration linger) {
    return options(window, grace, linger, GATE, new RowPolicy(3, Duration.ofSeconds(8)));
  }

  private static LearnerOptions options(
      Duration window, Duration grace, Duration linger, GatePolicy gate, RowPolicy rows) {
    Map<String, TaskPolicy> byTask =
        Map.of(
            Simulator.CLICK, new TaskPolicy(window, Weighting.PLAIN, Optional.empty()),
            Simulator.CONVERSION,
                new TaskPolicy(
                    window.multipliedBy(2), Weighting.CONSTANT_WAIT, Optional.of(Simulator.CLICK)));
    return new LearnerOptions(
        32,
        1,
        new Device.Cpu(),
        2,
        linger,
        Precision.FP32,
        new JoinPolicy(TASKS, byTask, Duration.ofSeconds(20), grace, Duration.ofSeconds(30), 0.5),
        rows,
        Duration.ofSeconds(8),
        200,
        2_000,
        gate);
  }

  /** A log of so many requests and what became of them, with all that goes wrong in one. */
  List<Logged> log(long seed, int requests) throws IOException {
    return log(seed, requests, true);
  }

  /** The same, with orders of operators or without. */
  List<Logged> log(long seed, int requests, boolean orders) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Simulator simulator = new Simulator(SimulatorConfig.small(LearningModel.SEED));
    List<Logged> events = new ArrayList<>();
    long nowMs = 1_000_000_000_000L;
    // Beyond what the bundle was trained on, so that there are ids without rows.
    long first = 50_000 + seed * 1_000;
    try (RowSource rows = simulator.rows(first, first + requests)) {
      RowEncoder encoder = bundle.encoder().bind(rows);
      for (int i = 0; i < requests; i++) {
        nowMs += random.nextLong(2 * STEP_MS);
        long scored = events.size();
        events.add(logged(events, nowMs, new Event.Scored(scored(rows, encoder, first + i))));
        react(simulator.request(first + i), scored, nowMs, random, events);
        if (random.nextInt(6) == 0) {
          events.add(logged(events, nowMs, new Event.Boundary()));
        }
        if (orders && random.nextInt(40) == 0) {
          Event.Order order = random.nextBoolean() ? Event.Order.ACCEPT : Event.Order.STEP_BACK;
          events.add(logged(events, nowMs, new Event.Ordered(order, random.nextInt(4))));
        }
        if (random.nextInt(60) == 0) {
          events.add(logged(events, nowMs, new Event.Frozen(random.nextBoolean())));
        }
        if (orders && i % ERASED_EACH == ERASED_EACH - 1) {
          long[] keys = keys(events.get(Math.toIntExact(scored)));
          long key = keys[i % keys.length];
          events.add(logged(events, nowMs, new Event.Ordered(Event.Order.ERASE, key)));
        }
      }
    }
    events.add(logged(events, nowMs, new Event.Frozen(false)));
    for (int i = 0; i < 10; i++) { // Windows close, rows expire.
      events.add(logged(events, nowMs + 5_000L * i, new Event.Boundary()));
    }
    return events;
  }

  /** Rows that there are: the bundle's but those that are no more, and others that are trained. */
  long rows(Map<String, String> state) {
    String prefix = StateKind.OPTIMIZER + " ";
    BundleRow room = new BundleRow(bundle, WIDTH, 0);
    long rows = bundle.manifest().rows();
    for (Map.Entry<String, String> of : state.entrySet()) {
      if (of.getKey().startsWith(prefix)) {
        long key = Long.parseLong(of.getKey().substring(prefix.length()));
        Table table = bundle.layout().tables().get(RowKey.table(key));
        boolean there = bundle.findRow(table, RowKey.id(key), room.row());
        rows += of.getValue().isEmpty() ? (there ? -1 : 0) : (there ? 0 : 1);
      }
    }
    return rows;
  }

  /** Whether a start is checked by this row. */
  boolean isGolden(long key) {
    long[] golden =
        GoldenExamples.keys(
            bundle.layout(), GoldenExamples.of(bundle.manifest().golden(), bundle.encoder()));
    return Arrays.binarySearch(golden, key) >= 0;
  }

  /** Keys of the rows of values that a scored request has, ascending. */
  long[] keys(Logged event) {
    if (!(event.event() instanceof Event.Scored scored)) {
      return new long[0];
    }
    ScoredRequest of = scored.request();
    return Arrays.stream(
            GoldenExamples.keys(
                bundle.layout(),
                OwnContexts.of(
                    bundle.encoder(),
                    of.context(),
                    of.candidates(),
                    of.contextOf(),
                    of.candidates().rows())))
        .filter(key -> RowKey.id(key) >= RowKey.FIRST)
        .toArray();
  }

  private static Logged logged(List<Logged> before, long nowMs, Event event) {
    return new Logged(before.size(), nowMs, LearningModel.NAME, event);
  }

  private ScoredRequest scored(RowSource rows, RowEncoder encoder, long number) {
    EncodedRows contexts = bundle.encoder().allocate(Scope.CONTEXT, CANDIDATES);
    EncodedRows candidates = bundle.encoder().allocate(Scope.CANDIDATE, CANDIDATES);
    EncodingCounts counts = new EncodingCounts();
    for (int row = 0; row < CANDIDATES; row++) {
      if (!rows.next()) {
        throw new IllegalStateException("too few rows");
      }
      encoder.encode(contexts, candidates, row, counts);
    }
    EncodedRows context = bundle.encoder().allocate(Scope.CONTEXT, 1);
    bundle.encoder().copy(Scope.CONTEXT, contexts, 0, 1, context, 0);
    float[] probabilities = new float[CANDIDATES * TASKS.size()];
    Arrays.fill(probabilities, 0.2f);
    return new ScoredRequest(
        new PredictionId(number << 16, number),
        new ScoredVersion(1, 1, 1, 1),
        bundle.manifest().encoding(),
        context,
        candidates,
        new int[CANDIDATES],
        TASKS.size(),
        probabilities);
  }

  /** Exposures and labels, some of them twice, late, in another order or not at all. */
  private static void react(
      Request request, long scored, long nowMs, SplittableRandom random, List<Logged> events) {
    if (random.nextInt(8) == 0) {
      return;
    }
    Event exposed = new Event.Exposed(scored, IntStream.range(0, CANDIDATES).toArray(), nowMs);
    boolean early = random.nextInt(10) > 0;
    if (early) {
      events.add(logged(events, nowMs, exposed));
    }
    for (int i = 0; i < CANDIDATES; i++) {
      Request.Candidate candidate = request.candidates().get(i);
      for (int times = random.nextInt(8) == 0 ? 2 : 1; candidate.clicked() && times > 0; times--) {
        events.add(
            logged(
                events, nowMs, new Event.Labelled(scored, i, Simulator.CLICK, 1, 1, nowMs + 20)));
      }
      if (candidate.clicked() && (candidate.converted() || random.nextInt(4) == 0)) {
        events.add(
            logged(
                events,
                nowMs,
                new Event.Labelled(scored, i, Simulator.CONVERSION, 1, 2, nowMs + 40)));
      }
    }
    if (!early) {
      events.add(logged(events, nowMs, exposed));
    }
  }

  /** The same log by a bundle of other vocabularies. */
  List<Logged> otherEncoding(List<Logged> log) {
    return changed(log, r -> request(r, r.version(), r.encoding() + 1));
  }

  /** The same log where all clicks are none between two positions. */
  static List<Logged> noClicks(List<Logged> log, int from, int to) {
    return log.stream()
        .map(
            of ->
                of.position() >= from
                        && of.position() < to
                        && of.event() instanceof Event.Labelled label
                    ? new Logged(
                        of.position(),
                        of.atMs(),
                        of.model(),
                        new Event.Labelled(
                            label.scored(),
                            label.position(),
                            label.task(),
                            0,
                            label.weight(),
                            label.timeMs()))
                    : of)
        .toList();
  }

  /** The same log as if the bundle had answered all. */
  List<Logged> answeredByTheBundle(List<Logged> log) {
    return changed(log, r -> request(r, new ScoredVersion(1, 0, 0, 0), r.encoding()));
  }

  /** The same log where a feature of each third candidate is no number. */
  List<Logged> notNumbers(List<Logged> log) {
    return changed(
        log,
        r -> {
          EncodedRows of = r.candidates();
          float[] dense = of.dense().clone();
          dense[2 * dense.length / of.rows()] = Float.NaN;
          return request(
              r,
              r.version(),
              r.encoding(),
              new EncodedRows(of.rows(), of.ids(), of.weights(), dense));
        });
  }

  private static ScoredRequest request(ScoredRequest of, ScoredVersion by, long encoding) {
    return request(of, by, encoding, of.candidates());
  }

  private static ScoredRequest request(
      ScoredRequest of, ScoredVersion by, long encoding, EncodedRows candidates) {
    return new ScoredRequest(
        of.id(),
        by,
        encoding,
        of.context(),
        candidates,
        of.contextOf(),
        of.tasks(),
        of.probabilities());
  }

  private static List<Logged> changed(List<Logged> log, UnaryOperator<ScoredRequest> change) {
    return log.stream()
        .map(
            logged ->
                logged.event() instanceof Event.Scored made
                    ? new Logged(
                        logged.position(),
                        logged.atMs(),
                        logged.model(),
                        new Event.Scored(change.apply(made.request())))
                    : logged)
        .toList();
  }

  /** Examples that were given to training, by what became of them. */
  double examples(String outcome) {
    return registry.get("wukong.online.examples").tag("outcome", outcome).counter().count();
  }

  /** Probabilities of answers that training's path finds the same, or not. */
  double skew(String outcome) {
    return registry
        .get("wukong.online.skew.probabilities")
        .tag("outcome", outcome)
        .counter()
        .count();
  }

  private static @Nullable ScoredRequest scored(List<Logged> log, long position) {
    return log.get(Math.toIntExact(position)).event() instanceof Event.Scored made
        ? made.request()
        : null;
  }

  /** A learner that goes on where {@code store} was left. */
  Learner learner(StateStore store, List<Logged> log) throws IOException {
    return new Learner(
        store,
        view(0),
        bundle,
        options,
        position -> scored(log, position),
        ofJoin.joining(TASKS),
        new LifecycleMeters(
            LearningModel.NAME,
            bundle.layout().tables().stream().map(table -> table.name()).toList(),
            registry),
        new LearnerMeters(LearningModel.NAME, TASKS, registry));
  }

  static RowsView view(long version) {
    return new RowsView(LearningModel.NAME, 1, version);
  }

  private ModelCommit counted(Learner.Made made) {
    promoted += made.decision() instanceof Decision.Promote ? 1 : 0;
    takenBack += made.decision() instanceof Decision.TakeBack ? 1 : 0;
    return made.commit();
  }

  /** How often a state was promoted, by commits written or not. */
  int promoted() {
    return promoted;
  }

  /** How often training was taken back. */
  int takenBack() {
    return takenBack;
  }

  /** Writes a commit as serving would. */
  static void apply(StateStore store, ModelCommit commit) {
    long version = store.version(view(0)) + 1;
    store.apply(new RowCommit(view(version), commit.rows()), commit.state());
  }

  /**
   * Learns the whole log.
   *
   * @param crash how often, of so many events, it is thrown away and made again from the store; 0:
   *     never
   * @return how often that was
   */
  int learn(StateStore store, List<Logged> log, int crash, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Learner learner = learner(store, log);
    int crashes = 0;
    try {
      while (learner.next() < log.size()) {
        Logged event = log.get(Math.toIntExact(learner.next()));
        boolean due = learner.take(event);
        ModelCommit commit = due ? counted(learner.commit(1)) : null;
        boolean before = crash > 0 && random.nextInt(crash) == 0;
        if (before) { // Also with a commit made and not written.
          learner.close();
          learner = learner(store, log);
          crashes++;
          continue;
        }
        if (commit != null) {
          apply(store, commit);
          if (crash > 0 && random.nextInt(4) == 0) {
            learner.close();
            learner = learner(store, log);
            crashes++;
          }
        }
      }
      return crashes;
    } finally {
      learner.close();
    }
  }

  /** Everything that {@code store} has of the model, as text by kind and key. */
  static Map<String, String> state(StateStore store, int widthOfRows) {
    Map<String, String> state = new TreeMap<>();
    for (StateKind kind : StateKind.values()) {
      store.forEachState(
          view(0),
          kind,
          (key, value) -> state.put(kind + " " + key, HexFormat.of().formatHex(value)));
    }
    long[] keys = store.rowKeys(view(0), -1, 1 << 16);
    float[] rows = new float[keys.length * widthOfRows];
    RowFate[] fates = new RowFate[keys.length];
    try (RowReader reader = store.reader(view(store.version(view(0))))) {
      reader.read(widthOfRows, keys, keys.length, rows, fates);
    }
    for (int i = 0; i < keys.length; i++) {
      StringBuilder row = new StringBuilder();
      for (int j = 0; j < widthOfRows; j++) {
        row.append(Integer.toHexString(Float.floatToRawIntBits(rows[i * widthOfRows + j])));
      }
      state.put("row " + keys[i], row.toString());
    }
    state.put("version", Long.toString(store.version(view(0))));
    return state;
  }
}
