package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Scope;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.HeapEventLog;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.RowShape;
import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.events.ScoredVersion;
import dev.wukong.serving.gating.Decision;
import dev.wukong.serving.gating.Gate;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.joining.JoinMeters;
import dev.wukong.serving.lifecycle.LifecycleMeters;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * The loop from predictions over their labels to what serves, with simulated time in place of a
 * network and of clocks: {@link Learner} takes each event of a log in the order of their times, and
 * what it commits is in a store before the next one. Models that serve follow at intervals of their
 * own: of all that a request could have been scored by, one training tells. One thread.
 */
final class LoopInTime implements AutoCloseable {
  /** What a request was given, before its time went on. */
  @FunctionalInterface
  interface Scores {
    /**
     * Called once a request, in their order.
     *
     * @param probabilities [candidates, tasks] by each of the copies that serve
     */
    void scored(TimedRequest request, List<float[]> probabilities);
  }

  /** What happens beside the requests and what comes of them. */
  interface Hand {
    /** None. */
    Hand NONE =
        new Hand() {
          @Override
          public boolean breaksStalls() {
            return false;
          }
        };

    /** Whether it is seen that labels are missing. */
    default boolean breaksStalls() {
      return true;
    }

    /** What is logged of a request in place of its rows. */
    default EncodedExamples logged(TimedRequest request) {
      return request.rows();
    }

    /** What is logged before a commit that time brings about. */
    default List<Event> before(long nowMs) {
      return List.of();
    }

    /**
     * A commit was made and written.
     *
     * @param nanos that both took
     */
    default void committed(long nowMs, Decision decision, long nanos) {}

    /** Copies that serve have what was committed. */
    default void served(long nowMs) {}
  }

  /** What will be logged at a time; of the same time, the first first. */
  private record Coming(long atMs, long number, Event event) {}

  private static final Duration TRIM = Duration.ofMinutes(10);

  private final Bundle bundle;
  private final String model;
  private final FeatureEncoder encoder;
  private final long everyMs;
  private final HeapEventLog log = new HeapEventLog();
  private final HeapRowStore store = new HeapRowStore();
  private final MeterRegistry registry = new SimpleMeterRegistry();
  private final JoinMeters ofJoin;
  private final RowsView view;
  private Learner learner;
  private final List<ServedCopy> copies;
  private final Hand hand;
  private StallBreaker breaker;
  private final ExampleBlock block;
  private final PriorityQueue<Coming> coming =
      new PriorityQueue<>(Comparator.comparingLong(Coming::atMs).thenComparingLong(Coming::number));
  private long numbers;
  private long version;
  private boolean halted;
  private long trimmedMs;

  /**
   * A loop that begins with what {@code bundle} has, which stays open.
   *
   * @param commitEvery time between commits, where there is something to commit
   * @param serve how often each of the copies that serve takes over what was committed
   */
  LoopInTime(Bundle bundle, LearnerOptions options, Duration commitEvery, List<Duration> serve)
      throws IOException {
    this(bundle, options, commitEvery, serve, Hand.NONE);
  }

  /** The same with what {@code hand} does. */
  LoopInTime(
      Bundle bundle, LearnerOptions options, Duration commitEvery, List<Duration> serve, Hand hand)
      throws IOException {
    this.hand = hand;
    this.bundle = bundle;
    this.model = bundle.manifest().model();
    this.encoder = bundle.encoder();
    this.everyMs = commitEvery.toMillis();
    this.ofJoin = new JoinMeters(model, registry);
    this.view = new RowsView(model, bundle.manifest().version(), 0);
    this.block = new ExampleBlock(encoder);
    this.learner = learner(options);
    this.breaker = learner.stallBreaker();
    this.copies = ServedCopy.of(bundle, serve);
  }

  private Learner learner(LearnerOptions options) throws IOException {
    List<String> tasks = bundle.manifest().schema().tasks().stream().map(t -> t.name()).toList();
    List<String> tables = bundle.layout().tables().stream().map(t -> t.name()).toList();
    return new Learner(
        store,
        view,
        bundle,
        options,
        log::scored,
        ofJoin.joining(tasks),
        new LifecycleMeters(model, tables, registry),
        new LearnerMeters(model, tasks, registry));
  }

  /** Learns with other options from now on, as after a restart: from the last commit. */
  void restart(LearnerOptions options) throws IOException {
    learner.close();
    halted = false;
    learner = learner(options);
    breaker = learner.stallBreaker();
    for (long next = learner.next(); next < log.end(); next++) {
      take(log.read(next, 1).getFirst());
    }
  }

  /** All of {@code requests}, in the order of their times; what comes after the last is not. */
  void run(Iterator<TimedRequest> requests, Scores scores) {
    TimedRequest next = next(requests);
    List<TimedRequest> window = new ArrayList<>();
    while (next != null) {
      Coming first = coming.peek();
      long begin = first == null ? next.atMs() : Math.min(next.atMs(), first.atMs());
      long end = (Math.floorDiv(begin, everyMs) + 1) * everyMs;
      window.clear();
      while (next != null && next.atMs() < end) {
        window.add(next);
        next = next(requests);
      }
      go(window, end, scores);
    }
  }

  private static @Nullable TimedRequest next(Iterator<TimedRequest> requests) {
    return requests.hasNext() ? requests.next() : null;
  }

  /** A time in which what serves does not change. */
  private void go(List<TimedRequest> window, long endMs, Scores scores) {
    List<float[]> given = window.isEmpty() ? List.of() : score(window);
    int tasks = bundle.manifest().schema().tasks().size();
    int at = 0;
    for (TimedRequest request : window) {
      int from = at * tasks;
      at += request.rows().rows();
      int to = at * tasks;
      List<float[]> own = given.stream().map(all -> Arrays.copyOfRange(all, from, to)).toList();
      scores.scored(request, own);
      happen(request.atMs());
      log(request, own.getFirst(), tasks);
    }
    happen(endMs - 1);
    hand.before(endMs).forEach(event -> take(endMs, EncodedEvent.of(model, event)));
    take(endMs, EncodedEvent.of(model, new Event.Boundary()));
    copies.forEach(copy -> copy.goOn(endMs, store, view));
    hand.served(endMs);
    if (endMs - trimmedMs >= TRIM.toMillis()) {
      log.trim(learner.oldestNeeded(), endMs);
      trimmedMs = endMs;
    }
  }

  private List<float[]> score(List<TimedRequest> window) {
    EncodedExamples rows = block.of(window);
    return copies.stream().map(copy -> copy.score(rows)).toList();
  }

  /** Probabilities [rows, tasks] of {@code rows} by one of the copies, as it serves now. */
  float[] score(int copy, EncodedExamples rows) {
    return copies.get(copy).score(rows);
  }

  private void log(TimedRequest request, float[] probabilities, int tasks) {
    EncodedExamples rows = hand.logged(request);
    int candidates = rows.rows();
    if (candidates == 0) {
      return;
    }
    long position = log.end();
    ScoredRequest scored =
        new ScoredRequest(
            new PredictionId(request.atMs() << 16, numbers++),
            new ScoredVersion(bundle.manifest().version(), 1, learner.mark().dense(), version),
            bundle.manifest().encoding(),
            rows.context().first(1),
            rows.candidate(),
            new int[candidates],
            tasks,
            probabilities);
    take(
        request.atMs(),
        EncodedEvent.scored(
            model,
            scored,
            RowShape.of(encoder, Scope.CONTEXT),
            RowShape.of(encoder, Scope.CANDIDATE)));
    come(request.exposedMs(), new Event.Exposed(position, request.exposed(), request.exposedMs()));
    for (TimedRequest.Label label : request.labels()) {
      come(
          label.atMs(),
          new Event.Labelled(
              position, label.position(), label.task(), label.value(), 1, label.atMs()));
    }
  }

  private void come(long atMs, Event event) {
    coming.add(new Coming(atMs, numbers++, event));
  }

  /** Logs all that is to come until {@code nowMs}. */
  private void happen(long nowMs) {
    for (Coming next = coming.peek(); next != null && next.atMs() <= nowMs; next = coming.peek()) {
      take(next.atMs(), EncodedEvent.of(model, next.event()));
      coming.remove();
    }
  }

  private void take(long atMs, EncodedEvent event) {
    long position = log.end();
    log.append(atMs, List.of(event));
    Logged logged = log.read(position, 1).getFirst();
    take(logged);
    if (hand.breaksStalls()) {
      breaker.take(logged).ifPresent(said -> take(atMs, EncodedEvent.of(model, said)));
    }
  }

  private void take(Logged event) {
    if (halted) {
      return;
    }
    if (learner.take(event)) {
      long began = System.nanoTime();
      Learner.Made made = learner.commit(1);
      ModelCommit commit = made.commit();
      version++;
      store.apply(
          new RowCommit(new RowsView(model, view.bundle(), version), commit.rows()),
          commit.state());
      halted = made.decision() instanceof Decision.TakeBack && learner.gate().hopeless();
      hand.committed(event.atMs(), made.decision(), System.nanoTime() - began);
      copies.forEach(copy -> copy.committed(commit));
    }
  }

  /** Whether training was taken back so often that it has stopped until {@link #restart}. */
  boolean halted() {
    return halted;
  }

  /** What has been found of what was learned. */
  Gate gate() {
    return learner.gate();
  }

  /** Whether labels are missing. */
  boolean frozen() {
    return breaker.frozen();
  }

  /** Examples that were learned from. */
  long examples() {
    return learner.mark().examples();
  }

  /** Commits that were made. */
  long commits() {
    return version;
  }

  /** What a counter with a tag has counted. */
  double counted(String name, String tag, String value) {
    return registry.get(name).tag(tag, value).counter().count();
  }

  /** What join, rows and training have counted. */
  MeterRegistry meters() {
    return registry;
  }

  @Override
  public void close() {
    copies.forEach(ServedCopy::close);
    learner.close();
    store.close();
    log.close();
  }
}
