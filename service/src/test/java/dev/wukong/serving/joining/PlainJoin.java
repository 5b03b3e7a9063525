package dev.wukong.serving.joining;

import dev.wukong.data.EncodedRows;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.joining.Example.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The join said once more, as plainly as can be: each candidate's life is read off the whole log,
 * one candidate after the other, and what came out is put in order at the end.
 */
final class PlainJoin {
  /**
   * What came out.
   *
   * @param event index of the event at which it did
   * @param order among what came out there
   * @param learnedMs the delay of its label, which is known after it
   * @param learns whether it has such a label
   * @param given whether it comes out, and not only its delay is learned
   * @param ceasedMs for how long windows of its task open no more than usual
   */
  private record Out(
      int event,
      List<Long> order,
      Example example,
      long learnedMs,
      boolean learns,
      boolean given,
      long ceasedMs) {}

  /** A label that counts. */
  private record Label(int event, Event.Labelled labelled) {}

  private final JoinPolicy policy;
  private final List<Logged> events;
  private final Map<Long, ScoredRequest> requests;
  private final boolean[] closes;
  private final List<Out> out = new ArrayList<>();
  private final Map<String, Integer> outcomes = new TreeMap<>();

  /** By task: the events at which its windows open. */
  private final Map<Integer, TreeSet<Integer>> openings = new TreeMap<>();

  /** Whether they are known. */
  private boolean known;

  private int faded;

  PlainJoin(JoinStream stream) {
    policy = stream.policy();
    requests = stream.requests();
    events = stream.events().stream().filter(e -> e.model().equals(JoinTrial.MODEL)).toList();
    closes = closing();
    Map<List<Long>, Boolean> subjects = new TreeMap<>(order());
    for (int i = 0; i < events.size(); i++) {
      switch (events.get(i).event()) {
        case Event.Exposed exposed -> {
          for (int position : exposed.positions()) {
            subjects.put(List.of(exposed.scored(), (long) position), true);
          }
        }
        case Event.Labelled labelled ->
            subjects.put(List.of(labelled.scored(), (long) labelled.position()), true);
        default -> {}
      }
    }
    // Who opens windows does not depend on what comes out, but the other way round.
    subjects.keySet().forEach(s -> new Life(s.get(0), s.get(1).intValue()).live());
    known = true;
    out.clear();
    outcomes.clear();
    subjects.keySet().forEach(s -> new Life(s.get(0), s.get(1).intValue()).live());
    out.sort(Comparator.comparingInt(Out::event).thenComparing(Out::order, order()));
  }

  private static Comparator<List<Long>> order() {
    return (a, b) -> {
      for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
        int first = Long.compare(a.get(i), b.get(i));
        if (first != 0) {
          return first;
        }
      }
      return Integer.compare(a.size(), b.size());
    };
  }

  /** How many of the {@link #examples} count less because no windows opened any more. */
  int faded() {
    return faded;
  }

  private static double counts(List<long[]> delays, long nowMs) {
    return delays.stream()
        .mapToDouble(d -> Math.pow(0.5, (double) (nowMs / 86_400_000 - d[1] / 86_400_000)))
        .sum();
  }

  /** The outcomes of all labels, by their names. */
  Map<String, Integer> outcomes() {
    return outcomes;
  }

  /** All that comes out, in order; with how many labels came in time. */
  List<Example> examples() {
    List<Example> examples = new ArrayList<>();
    Map<Integer, List<long[]>> delays = new TreeMap<>();
    for (Out one : out) {
      Example e = one.example();
      List<long[]> known = delays.computeIfAbsent(e.task(), t -> new ArrayList<>());
      TaskPolicy task = policy.of(policy.tasks().get(e.task()));
      double within = within(known, task.window().toMillis(), e.atMs());
      double tells = counts(known, known.isEmpty() ? 0 : known.getLast()[1]);
      double left =
          one.ceasedMs() == 0 || tells < 10 ? 1 : 1 - within(known, one.ceasedMs(), e.atMs());
      faded += left > 0 && left < 1 ? 1 : 0;
      if (one.given() && left > 0) {
        examples.add(
            new Example(
                e.shown(),
                e.task(),
                e.label(),
                (float) (left * (double) e.weight()),
                e.kind(),
                e.weighting(),
                within,
                e.atMs(),
                e.timely()));
      }
      if (one.learns()) {
        known.add(new long[] {one.learnedMs(), e.atMs()});
      }
    }
    return examples;
  }

  private static double within(List<long[]> delays, long windowMs, long nowMs) {
    double all = 0;
    double in = 0;
    for (long[] delay : delays) {
      double counts = Math.pow(0.5, (double) (nowMs / 86_400_000 - delay[1] / 86_400_000));
      double from = 0;
      double to = 25;
      for (int step = 1; to <= delay[0]; step++) {
        from = to;
        to = 100 * (Math.scalb(1.0, step / 4) * (1 + 0.25 * (step % 4 + 1)) - 1);
      }
      all += counts;
      in += counts * Math.clamp((windowMs - from) / (to - from), 0.0, 1.0);
    }
    return all == 0 ? 1 : in / all;
  }

  /** At which events windows close. */
  private boolean[] closing() {
    boolean[] closing = new boolean[events.size()];
    boolean frozen = false;
    long fromMs = 0;
    for (int i = 0; i < closing.length; i++) {
      long sinceMs = i == 0 ? 0 : events.get(i).atMs() - events.get(i - 1).atMs();
      if (sinceMs > policy.grace().toMillis() && sinceMs > 15_000) {
        fromMs = events.get(i).atMs() + policy.grace().toMillis();
      }
      closing[i] = !frozen && events.get(i).atMs() >= fromMs;
      if (events.get(i).event() instanceof Event.Frozen freeze) {
        fromMs = frozen && !freeze.on() ? events.get(i).atMs() + policy.grace().toMillis() : fromMs;
        frozen = freeze.on();
      }
    }
    return closing;
  }

  /**
   * Whether both kinds of a task's examples come out at an event, for what opened at another.
   *
   * @param opened negative: for labels, whenever their windows opened
   * @param with whether windows that open at the event itself count
   */
  private boolean paired(int task, int opened, int at, boolean with) {
    TaskPolicy of = policy.of(policy.tasks().get(task));
    long waitsMs = of.window().plus(policy.grace()).toMillis();
    if (of.weighting() == Weighting.FAKE_NEGATIVE
        || of.weighting() == Weighting.EXPLICIT
        || waitsMs == 0
        || !known) {
      return true;
    }
    List<Long> times =
        Objects.requireNonNull(openings.get(task)).headSet(at, with).stream()
            .map(i -> events.get(i).atMs())
            .toList();
    long nowMs = events.get(at).atMs();
    if (times.getLast() + waitsMs + policy.grace().toMillis() < nowMs) {
      return false;
    }
    int first = times.size() - 1;
    while (first > 0 && times.get(first) <= times.get(first - 1) + waitsMs) {
      first--;
    }
    return opened < 0
        ? times.get(first) + waitsMs <= nowMs
        : times.get(first) <= events.get(opened).atMs();
  }

  /** For how long windows open no more, beyond what is usual; 0 where it does not matter. */
  private long ceasedMs(int task, int at) {
    TaskPolicy of = policy.of(policy.tasks().get(task));
    long waitsMs = of.window().plus(policy.grace()).toMillis();
    if (of.weighting() == Weighting.FAKE_NEGATIVE || waitsMs == 0 || !known) {
      return 0;
    }
    double widest = 0;
    long last = -1;
    for (int opened : Objects.requireNonNull(openings.get(task)).headSet(at)) {
      double gap = last < 0 ? 0 : (double) (events.get(opened).atMs() - last);
      last = events.get(opened).atMs();
      widest =
          gap > (double) waitsMs ? 0 : Math.max(gap, widest * (1 - gap / (8 * (double) waitsMs)));
    }
    return Math.max(0, events.get(at).atMs() - last - Math.round(2 * widest));
  }

  /** The first event after {@code after} at which what is due then has happened. */
  private int first(int after, long dueMs) {
    for (int i = after + 1; i < events.size(); i++) {
      if (events.get(i).atMs() >= dueMs && closes[i]) {
        return i;
      }
    }
    return Integer.MAX_VALUE;
  }

  private boolean joinable(long scored, int at) {
    if (scored >= events.get(at).position()) {
      return false;
    }
    long partMs = policy.exposure().toMillis() / 16;
    for (Logged made : events) {
      if (made.position() == scored) {
        return (made.atMs() / partMs + 16) * partMs > events.get(at).atMs();
      }
    }
    throw new AssertionError("no prediction at " + scored);
  }

  /** What happens to a candidate. */
  private final class Life {
    private final long scored;
    private final int position;
    private final int[] opened;
    private final long[] openedMs;
    private final boolean[] labelled;
    private final boolean[] closed;
    private final Map<Integer, Label> waiting = new TreeMap<>();
    private int exposed = -1;
    private int held = -1;
    private long turn;

    Life(long scored, int position) {
      this.scored = scored;
      this.position = position;
      int tasks = policy.tasks().size();
      opened = new int[tasks];
      Arrays.fill(opened, -1);
      openedMs = new long[tasks];
      labelled = new boolean[tasks];
      closed = new boolean[tasks];
    }

    void live() {
      boolean over = false;
      for (int i = 0; i < events.size(); i++) {
        close(i);
        if (!over && held >= 0 && first(held, events.get(held).atMs() + horizonMs()) <= i) {
          over = true;
          waiting.values().forEach(label -> count("ungiven"));
          waiting.clear();
        }
        if (exposed < 0) {
          for (int task = 0; task < opened.length; task++) {
            Label label = waiting.get(task);
            if (label != null
                && first(label.event(), events.get(label.event()).atMs() + horizonMs()) <= i) {
              count("unexposed");
              waiting.remove(task);
            }
          }
        }
        switch (events.get(i).event()) {
          case Event.Exposed e when e.scored() == scored && exposed < 0 -> expose(i, e);
          case Event.Labelled e when e.scored() == scored && e.position() == position ->
              label(i, e, over);
          default -> {}
        }
      }
    }

    private long horizonMs() {
      return policy.horizon().toMillis();
    }

    private void count(String outcome) {
      outcomes.merge(outcome, 1, Integer::sum);
    }

    private void expose(int at, Event.Exposed event) {
      ScoredRequest request = requests.get(scored);
      int index = indexOf(event.positions());
      if (index < 0
          || position < 0
          || !joinable(scored, at)
          || request == null
          || position >= request.candidates().rows()) {
        return;
      }
      exposed = at;
      held = at;
      turn = 1000L * index;
      for (int task = 0; task < opened.length; task++) {
        if (of(task).given().isEmpty()) {
          open(at, task, event.timeMs());
        }
      }
    }

    private int indexOf(int[] positions) {
      for (int i = 0; i < positions.length; i++) {
        if (positions[i] == position) {
          return i;
        }
      }
      return -1;
    }

    private TaskPolicy of(int task) {
      return policy.of(policy.tasks().get(task));
    }

    private void label(int at, Event.Labelled event, boolean over) {
      int task = policy.tasks().indexOf(event.task());
      boolean alive = exposed >= 0 && !over;
      if (task < 0 || (!alive && (position < 0 || !joinable(scored, at)))) {
        count("orphan");
      } else if (labelled[task] || waiting.containsKey(task)) {
        count("duplicate");
      } else if (opened[task] >= 0) {
        settle(at, task, new Label(at, event));
      } else {
        waiting.put(task, new Label(at, event));
      }
    }

    private void open(int at, int task, long timeMs) {
      boolean _ = openings.computeIfAbsent(task, t -> new TreeSet<>()).add(at);
      opened[task] = at;
      openedMs[task] = timeMs;
      held = at;
      if (of(task).weighting() == Weighting.FAKE_NEGATIVE && closes[at]) {
        closed[task] = true;
        negative(at, task, 1, List.of(1L, turn++), true, 0);
      }
      Label label = waiting.remove(task);
      if (label != null) {
        settle(at, task, label);
      }
    }

    private void settle(int at, int task, Label label) {
      boolean fake = of(task).weighting() == Weighting.FAKE_NEGATIVE;
      boolean explicit = of(task).weighting() == Weighting.EXPLICIT;
      boolean late = closed[task] && !fake && !explicit;
      labelled[task] = true;
      boolean paired = paired(task, -1, at, true);
      count(!paired ? "unpaired" : late ? "late" : "joined");
      List<Long> order = List.of(1L, turn++);
      Event.Labelled event = label.labelled();
      if (event.value() == 0) {
        if ((!closed[task] || explicit) && paired) {
          negative(at, task, event.weight(), order, closes[at], 0);
        }
        return;
      }
      long logMs = Math.max(0, events.get(label.event()).atMs() - events.get(opened[task]).atMs());
      double byCallers = (double) event.timeMs() - (double) openedMs[task];
      long delayMs =
          byCallers >= (double) logMs
              ? logMs
              : byCallers <= 0 ? 0 : event.timeMs() - openedMs[task];
      give(
          at,
          task,
          late ? Kind.LATE : Kind.POSITIVE,
          event.value(),
          event.weight(),
          order,
          delayMs,
          paired,
          closes[at],
          0);
      for (int other = 0; other < opened.length; other++) {
        if (of(other).given().map(policy.tasks()::indexOf).orElse(-1) == task) {
          open(at, other, event.timeMs());
        }
      }
    }

    /** The windows that close at an event. */
    private void close(int at) {
      for (int task = 0; task < opened.length; task++) {
        if (opened[task] < 0 || labelled[task] || closed[task]) {
          continue;
        }
        boolean fake = of(task).weighting() == Weighting.FAKE_NEGATIVE;
        long waitsMs = fake ? 0 : of(task).window().plus(policy.grace()).toMillis();
        long dueMs = events.get(opened[task]).atMs() + waitsMs;
        if (first(opened[task], dueMs) == at) {
          closed[task] = true;
          int index =
              events.get(opened[task]).event() instanceof Event.Exposed e
                  ? indexOf(e.positions())
                  : 0;
          if (of(task).weighting() != Weighting.EXPLICIT && paired(task, opened[task], at, false)) {
            negative(
                at,
                task,
                1,
                List.of(0L, dueMs, (long) task, (long) opened[task], (long) index),
                events.get(at).atMs() <= dueMs + 5_000,
                ceasedMs(task, at));
          }
        }
      }
    }

    private void negative(
        int at, int task, float weight, List<Long> order, boolean timely, long ceasedMs) {
      if (NegativeShare.keeps(
          shown().id(), position, policy.tasks().get(task), policy.negatives())) {
        give(
            at,
            task,
            Kind.NEGATIVE,
            0,
            (float) (weight / policy.negatives()),
            order,
            -1,
            true,
            timely,
            ceasedMs);
      }
    }

    private void give(
        int at,
        int task,
        Kind kind,
        float label,
        float weight,
        List<Long> order,
        long learnedMs,
        boolean given,
        boolean timely,
        long ceasedMs) {
      Example example =
          new Example(
              shown(),
              task,
              label,
              weight,
              kind,
              of(task).weighting(),
              0,
              events.get(at).atMs(),
              timely);
      out.add(new Out(at, order, example, learnedMs, kind != Kind.NEGATIVE, given, ceasedMs));
    }

    private Shown shown() {
      @Nullable ScoredRequest request = requests.get(scored);
      if (request == null) {
        throw new AssertionError("nothing is known of " + scored);
      }
      EncodedRows all = request.candidates();
      EncodedRows contexts = request.context();
      float[] probabilities = new float[request.tasks()];
      for (int task = 0; task < probabilities.length; task++) {
        probabilities[task] = request.probabilities()[position * request.tasks() + task];
      }
      long[] context =
          contexts.rows() == 0
              ? new long[0]
              : new long[] {contexts.ids()[request.contextOf()[position]]};
      return new Shown(
          scored,
          position,
          request.id(),
          request.version(),
          request.encoding(),
          new EncodedRows(context.length, context, new float[0], new float[0]),
          new EncodedRows(
              1,
              new long[] {all.ids()[2 * position], all.ids()[2 * position + 1]},
              new float[] {all.weights()[2 * position], all.weights()[2 * position + 1]},
              new float[] {all.dense()[position]}),
          probabilities);
    }
  }
}
