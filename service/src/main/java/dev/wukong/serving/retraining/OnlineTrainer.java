package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Manifest;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.gating.Decision;
import dev.wukong.serving.gating.GateReport;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.QuietThread;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.hosting.VersionException;
import dev.wukong.serving.hosting.VersionException.NotNow;
import dev.wukong.serving.joining.Join;
import dev.wukong.serving.joining.JoinMeters;
import dev.wukong.serving.joining.LogPlace;
import dev.wukong.serving.lifecycle.LifecycleMeters;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a served model learn from the log, on one thread behind all that answers requests: it reads
 * events, says when to commit, and commits to the version that serves. What it decides by the clock
 * it first appends to the log, so that whoever does all again decides the same.
 */
public final class OnlineTrainer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(OnlineTrainer.class);

  /** Events that are read together. */
  private static final int READ = 512;

  /** While nothing happens time goes on in these steps: windows close, rows expire. */
  private static final Duration IDLE = Duration.ofSeconds(5);

  private static final Duration CLOSE = Duration.ofSeconds(30);

  /** A model that is not there by then may have another name. */
  private static final Duration MISSING = Duration.ofSeconds(10);

  private static final String PAUSED = "operators have paused it";
  private static final String OTHERS = "another replica trains";

  /** Between looks whether there is anything to train, or it is its turn. */
  private static final Duration LOOKS = Duration.ofMillis(100);

  /** Where it stands. */
  public enum Phase {
    /** It waits: for a version that serves, or until an export is written. */
    WAITING,
    /** It learns. */
    LEARNING,
    /** Operators have stopped it. */
    PAUSED,
    /** It cannot go on; operators can have it try again. */
    HALTED
  }

  /**
   * Where it stands.
   *
   * @param reason why it cannot go on, or waits; where it learns, that labels are missing, or empty
   * @param bundle the version that learns; 0: none
   * @param next position in the log of the next event
   */
  public record Status(Phase phase, String reason, long bundle, long next, LearnedMark mark) {
    /** Commits so far that changed dense weights. */
    public long dense() {
      return mark.dense();
    }
  }

  private final Supplier<@Nullable ServedModel> models;
  private final String model;
  private final Function<List<String>, LearnerOptions> options;
  private final Duration commitEvery;
  private final boolean stalls;
  private final EventLog events;
  private final KnownLog known;
  private final Turns turns;
  private final StateStore store;
  private final BundleStore bundles;
  private final MeterRegistry registry;
  private final LongSupplier nanos;
  private final LongSupplier clock;
  private final TrainerMeters meters;
  private final Pace pace;
  private final Thread thread;

  private final AtomicReference<Status> status =
      new AtomicReference<>(
          new Status(
              Phase.WAITING, "no version serves yet", 0, 0, LearnedMark.none(0, new float[0])));

  private final GateMeters gates;
  private final AtomicReference<Optional<GateReport>> gate =
      new AtomicReference<>(Optional.empty());

  private final PendingOrders orders = new PendingOrders();

  private final Wishes wishes;
  private final Exports exports;

  private final JoinMeters ofJoin;

  // Made once for all learners with these tasks or tables: a gauge keeps to the first that has it.
  private final Map<List<String>, LifecycleMeters> ofRows = new HashMap<>();
  private final Map<List<String>, LearnerMeters> ofLearner = new HashMap<>();

  /** Of rows by which a start of the version that learns is checked, ascending. */
  private volatile long[] golden = {};

  /** Positions below this are not read any more: until a learner says so, all may be. */
  private volatile long needed;

  /** Who trains in this process; made by its first commit. Its thread's. */
  private long epoch;

  /** Its turn, while it learns. Its thread's; others only append with it what may fail. */
  private volatile @Nullable Turn inTurn;

  /** When it last said to commit. Its thread's. */
  private long saidNanos;

  /** The last commit that it asked for, while it has not come to that. Its thread's. */
  private long asked = -1;

  /** When it began, and whether it has said that there is no such model. Its thread's. */
  private long startedNanos;

  private boolean saidMissing;

  /** Whether something has happened since, so that there may be something to commit. */
  private boolean moved;

  /**
   * A trainer that begins with {@link #start}.
   *
   * @param models gives the model to train, once there is one
   * @param model its name
   * @param options how it learns, by the names of its tasks
   * @param commitEvery time between commits, where there is something to commit
   * @param stalls whether it sees that labels are missing, and learns no negatives then
   * @param share of one processor's time that it takes at most while requests are answered
   * @param turns says when it is to learn
   * @param store keeps the model's rows and what training remembers
   * @param nanos as {@link System#nanoTime}
   * @param clock milliseconds since 1970-01-01 UTC
   */
  public OnlineTrainer(
      Supplier<@Nullable ServedModel> models,
      String model,
      Function<List<String>, LearnerOptions> options,
      Duration commitEvery,
      boolean stalls,
      double share,
      EventLog events,
      Turns turns,
      StateStore store,
      BundleStore bundles,
      MeterRegistry registry,
      LongSupplier nanos,
      LongSupplier clock) {
    this.clock = clock;
    this.models = models;
    this.model = model;
    this.options = options;
    this.commitEvery = commitEvery;
    this.stalls = stalls;
    this.events = events;
    this.known = new KnownLog(events);
    this.turns = turns;
    this.store = store;
    this.bundles = bundles;
    this.registry = registry;
    this.nanos = nanos;
    this.ofJoin = new JoinMeters(model, registry);
    this.meters = new TrainerMeters(model, registry, this::lag, () -> status().phase());
    this.gates = new GateMeters(model, registry, gate::get);
    this.wishes = new Wishes(model);
    this.exports = new Exports(model, wishes, nanos);
    this.pace = Pace.ofThread(model, share, nanos, registry);
    this.thread = Thread.ofPlatform().name("trainer-" + model).unstarted(this::work);
  }

  /** Begins to learn. */
  public void start() {
    thread.start();
  }

  /** The model that learns. */
  public String model() {
    return model;
  }

  /** Where it stands. */
  public Status status() {
    return status.get();
  }

  /** Events in the log that it has not come to. */
  public long lag() {
    return Math.max(0, events.end() - status.get().next());
  }

  /** The lowest position in the log that is still needed. */
  public long needed() {
    return needed;
  }

  /** Stops it after the step under way, until {@link #resume}. */
  public void pause() {
    wishes.pause();
  }

  /**
   * Waits until it makes no step, as {@link #pause} asked; returns at once where it is to go on.
   */
  void awaitPause() throws InterruptedException {
    wishes.awaitRest();
  }

  /**
   * Has what was learned by the last commit written as a bundle, between two steps.
   *
   * @throws VersionException where it cannot be now
   */
  CompletableFuture<LearnedBundle.Exported> export() throws VersionException {
    return wishes.export(
        () -> {
          Status now = status.get();
          return now.bundle() == 0 || now.phase() == Phase.HALTED
              ? Optional.of(now.reason())
              : Optional.empty();
        });
  }

  /** What was learned by the last commit, as a bundle. */
  private LearnedBundle.Exported write(ServedModel served, Learner learner)
      throws IOException, VersionException {
    say(Phase.WAITING, "an export is being written", learner);
    Bundle bundle = learner.bundle();
    if (!learner.hasLearned()) {
      throw new NotNow(
          "model '%s' has learned nothing since version %d"
              .formatted(model, bundle.manifest().version()));
    }
    if (!bundles.trust().ownAreUsed()) {
      throw new NotNow(
          "an export would not be used here: wukong.bundles.trusted-keys wants signatures, and"
              + " wukong.online.signing-key is no key that it trusts");
    }
    return new LearnedBundle(store, bundles)
        .write(
            bundle,
            learner::stateWidth,
            served.keptOut(),
            Instant.ofEpochMilli(events.lastMs()),
            metersOf(bundle).figures());
  }

  /** Whether an export waits for that what was learned is promoted. */
  boolean awaitsPromotion() {
    return exports.awaitsPromotion();
  }

  /** Refuses what was asked for: nobody will do it. */
  private void refuse(String reason) {
    NotNow why = wishes.doesNotLearn(reason);
    orders.refuse(why);
    wishes.refuse(why);
  }

  /** Has it go on, or try again where it could not. */
  public void resume() {
    wishes.resume();
    // Who asks next is not told that it is paused because it has not begun yet.
    Status _ =
        status.updateAndGet(
            of ->
                of.phase() == Phase.PAUSED || of.phase() == Phase.HALTED
                    ? new Status(
                        Phase.WAITING, "it begins again", of.bundle(), of.next(), of.mark())
                    : of);
  }

  private void work() {
    QuietThread.begin();
    startedNanos = nanos.getAsLong();
    try {
      workUntilClosed();
    } finally {
      refuse("the service stops");
    }
  }

  private void workUntilClosed() {
    while (!wishes.isClosed()) {
      ServedModel served = models.get();
      long version = served == null ? 0 : served.servingVersion();
      if (served == null || version == 0) {
        if (!wishes.rest(() -> say(Phase.PAUSED, PAUSED))) {
          say(Phase.WAITING, "no version of the model serves yet");
        }
        refuse("no version of it serves yet");
        sayIfMissing(served);
        wishes.await(LOOKS);
        continue;
      }
      Turn turn = turns.now();
      if (turn == null) {
        try {
          notItsTurn(version);
        } catch (StoreException | IllegalStateException e) {
          halt(e);
        }
        continue;
      }
      inTurn = turn;
      try (turn;
          Bundle bundle = bundles.open(model, version);
          Learner learner = learner(bundle);
          Canary canary = new Canary(served, version)) {
        golden = learner.goldenKeys();
        passOverWhatItHolds(learner);
        needed = learner.oldestNeeded();
        log.info(
            "model '{}': version {} learns from position {} of the log on, which goes from {} to"
                + " {}",
            model,
            version,
            learner.next(),
            events.begin(),
            events.end());
        learn(served, learner, canary);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (Turn.LostException e) {
        log.warn("model '{}': another process trains from now on: {}", model, e.getMessage());
      } catch (IOException e) {
        if (served.servingVersion() == version) {
          halt(e);
        } else { // It was rolled back just now, and may be removed.
          log.info(
              "model '{}': version {} serves no more, and is not learned from: {}",
              model,
              version,
              e.getMessage());
        }
      } catch (RuntimeException e) {
        halt(e);
      }
    }
  }

  /** It says how far others have come: that is in the store here, too. */
  private void notItsTurn(long version) {
    LearnedMark others =
        LearnedMark.read(store, new RowsView(model, version, 0)).orElse(status.get().mark());
    long next = Join.place(store, model).next();
    if (!wishes.rest(() -> say(Phase.PAUSED, PAUSED))) {
      say(Phase.WAITING, OTHERS);
    }
    Status _ = status.updateAndGet(now -> new Status(now.phase(), now.reason(), 0, next, others));
    refuse(OTHERS);
    wishes.await(LOOKS);
  }

  /** Said once, as the model may still come: but its name may be wrong. */
  private void sayIfMissing(@Nullable ServedModel served) {
    boolean late = nanos.getAsLong() - startedNanos > MISSING.toNanos();
    if (served == null && late && !saidMissing) {
      saidMissing = true;
      log.warn(
          "wukong.online.model is '{}', and there is no such model: nothing is learned until a"
              + " bundle of it is in wukong.bundle-root",
          model);
    }
  }

  /** Where what was learned is lost, a bundle may say up to where in this log it is in it. */
  private void passOverWhatItHolds(Learner learner) {
    Manifest manifest = learner.bundle().manifest();
    LogPlace before = LearnedBundle.place(manifest);
    if (learner.next() == 0 && known.has(before)) {
      log.warn(
          "model '{}': nothing is known of what was learned, but version {} says that it has"
              + " learned from this log up to position {}: it goes on from there",
          model,
          manifest.version(),
          before.next());
      learner.goOnAfter(before);
    }
  }

  private Learner learner(Bundle bundle) throws IOException {
    List<String> tasks = tasks(bundle);
    LearnerMeters ofExamples = metersOf(bundle);
    ofExamples.forgotten();
    List<String> tables = bundle.layout().tables().stream().map(t -> t.name()).toList();
    return new Learner(
        store,
        new RowsView(model, bundle.manifest().version(), 0),
        bundle,
        options.apply(tasks),
        events::scored,
        ofJoin.joining(tasks),
        ofRows.computeIfAbsent(tables, names -> new LifecycleMeters(model, names, registry)),
        ofExamples);
  }

  private Turn turn() {
    Turn now = inTurn;
    if (now == null) {
      throw new IllegalStateException("it is not its turn");
    }
    return now;
  }

  private static List<String> tasks(Bundle bundle) {
    return bundle.manifest().schema().tasks().stream().map(t -> t.name()).toList();
  }

  /** What was measured goes on over versions that have the same tasks. */
  private LearnerMeters metersOf(Bundle bundle) {
    return ofLearner.computeIfAbsent(
        tasks(bundle), names -> new LearnerMeters(model, names, registry));
  }

  /** Until another version serves, or this is closed. */
  private void learn(ServedModel served, Learner learner, Canary canary)
      throws InterruptedException {
    long version = learner.bundle().manifest().version();
    long read = learner.next();
    known.check(model, Join.place(store, model));
    if (!learner.generations().isEmpty()) {
      gate.set(Optional.of(GateReport.of(learner.gate(), served.tried(), states(learner))));
    }
    saidNanos = nanos.getAsLong();
    asked = -1;
    Pace.Requests requests = Pace.Requests.to(served.batcher());
    StallBreaker breaker = learner.stallBreaker();
    if (!stalls && breaker.frozen()) {
      long _ = turn().append(model, new Event.Frozen(false));
    }
    pace.begin();
    while (!wishes.isClosed()) {
      if (served.servingVersion() != version || !turn().lasts()) {
        return; // What is not committed is done again, by the version that serves then.
      }
      exports.writeIfAsked(learner, of -> write(served, of));
      if (wishes.rest(() -> say(Phase.PAUSED, PAUSED, learner))) {
        wishes.await(Duration.ofSeconds(1));
        continue;
      }
      say(Phase.LEARNING, breaker.missing().orElse(""), learner);
      List<Logged> next = events.read(read, READ);
      for (Logged event : next) {
        read = event.position() + 1;
        moved |= !(event.event() instanceof Event.Boundary);
        if (learner.take(event) && !commit(served, learner, canary)) {
          return; // The version goes just now: what serves then goes on from the store.
        }
        if (event.position() == asked) {
          asked = -1;
        }
        watch(breaker, event);
        pace.rest(requests);
      }
      say();
      if (next.isEmpty()) {
        long _ = turn().awaitEnd(read, Duration.ofMillis(50));
      }
    }
  }

  /** Says in the log that labels are missing, or come again. */
  private void watch(StallBreaker breaker, Logged event) throws InterruptedException {
    if (!stalls || !event.model().equals(model)) {
      return;
    }
    Optional<Event.Frozen> found = breaker.take(event);
    if (found.isPresent()) {
      log.warn(
          "model '{}': {}",
          model,
          breaker.missing().orElse("labels come again, as far as the log tells"));
      long _ = turn().append(model, found.get());
    }
  }

  /** Says in the log that there is to be a commit, where that is due. */
  private void say() throws InterruptedException {
    long now = nanos.getAsLong();
    long every = moved ? commitEvery.toNanos() : Math.max(IDLE.toNanos(), commitEvery.toNanos());
    if (asked < 0 && now - saidNanos >= every) {
      asked = turn().append(model, new Event.Boundary());
      saidNanos = now;
      moved = false;
    }
  }

  /** Whether requests see it, or will once it is promoted. */
  private boolean commit(ServedModel served, Learner learner, Canary canary) {
    if (turn().epoch() > 0) {
      epoch = turn().epoch();
    } else if (epoch == 0) {
      epoch = learner.mark().epoch() + 1;
    }
    long began = nanos.getAsLong();
    Learner.Made made = learner.commit(Math.max(epoch, learner.mark().epoch()));
    canary.before(made);
    if (!turn().commit(served, learner.bundle().manifest().version(), made.commit())) {
      return false;
    }
    long took = nanos.getAsLong() - began;
    needed = learner.oldestNeeded();
    meters.committed(took, made.commit());
    gates.decided(made.decision(), learner.gate(), took);
    canary.after(made, learner);
    gate.set(Optional.of(GateReport.of(learner.gate(), served.tried(), states(learner))));
    say(Phase.LEARNING, status.get().reason(), learner); // Before those who wait for it look.
    orders.done(learner.committed());
    switch (made.decision()) {
      case Decision.Keep _, Decision.Hide _ -> {}
      case Decision.Publish _, Decision.Promote _ ->
          metersOf(learner.bundle()).visible(clock.getAsLong());
      case Decision.TakeBack(String reason) -> {
        log.warn(
            "model '{}': what was learned since the last healthy state is taken back: {}",
            model,
            reason);
        if (learner.gate().hopeless()) {
          throw new UnfitException(
              "training was taken back %d times in a row as soon as it had begun, at last since %s"
                  .formatted(learner.gate().failures(), reason));
        }
      }
    }
    return true;
  }

  private static List<GateReport.State> states(Learner learner) {
    return learner.generations().stream()
        .map(of -> new GateReport.State(of.number(), of.atMs(), of.dense(), of.examples()))
        .toList();
  }

  /** What has been found of what was learned; empty before the first commit. */
  public Optional<GateReport> gate() {
    return gate.get();
  }

  /**
   * Has what operators have decided done, in the order of the log.
   *
   * @return completes once it is
   * @throws VersionException where it cannot be now
   */
  CompletableFuture<Void> order(Event.Order order, long target) throws VersionException {
    Status now = status.get();
    if (now.phase() != Phase.LEARNING) {
      throw wishes.doesNotLearn(now.reason());
    }
    try {
      return orders.await(turn().append(model, new Event.Ordered(order, target)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NotNow("interrupted before it was written");
    }
  }

  /**
   * Keys of the rows that a value of an id has.
   *
   * @throws VersionException where they cannot be erased now
   * @throws dev.wukong.data.DataException where there is no such feature, or no such value of it
   */
  long[] keys(String feature, IdValue value) throws VersionException {
    ServedModel served = models.get();
    HostedModel serves = served == null ? null : served.lease();
    if (serves == null) {
      throw wishes.doesNotLearn("no version of the model serves yet");
    }
    try {
      long[] keys = IdValue.keys(serves.encoder(), serves.layout(), feature, value);
      if (LongStream.of(keys).anyMatch(key -> Arrays.binarySearch(golden, key) >= 0)) {
        throw new NotNow(
            "golden rows of version %d of model '%s' have this value, by which each start is"
                    .formatted(serves.bundle(), model)
                + " checked: a version without it is needed first");
      }
      return keys;
    } finally {
      serves.release();
    }
  }

  private void say(Phase phase, String reason) {
    Status before = status.get();
    status.set(new Status(phase, reason, 0, before.next(), before.mark()));
  }

  private void say(Phase phase, String reason, Learner learner) {
    long bundle = learner.bundle().manifest().version();
    status.set(new Status(phase, reason, bundle, learner.next(), learner.mark()));
  }

  /** Nothing is tried again by itself: a disk that failed once may say that it did not. */
  private void halt(Exception why) {
    if (wishes.isClosed()) {
      return;
    }
    String reason = why.getMessage() == null ? why.toString() : why.getMessage();
    log.error("model '{}': online training has stopped, predictions go on", model, why);
    say(Phase.HALTED, reason);
    refuse(reason);
    meters.halted();
    wishes.awaitAgain();
  }

  /** Ends after the step under way; what was not committed is learned after the next start. */
  @Override
  public void close() {
    wishes.close();
    try {
      if (!thread.join(CLOSE)) {
        log.warn("model '{}': the trainer does not end", model);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
