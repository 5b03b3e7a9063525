package dev.wukong.serving.cluster;

import dev.wukong.serving.cluster.CommitReader.Entry;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventLogException;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.events.QueueRoom;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.joining.Join;
import dev.wukong.serving.joining.LogPlace;
import dev.wukong.serving.retraining.StreamProgress;
import dev.wukong.serving.retraining.Turn;
import dev.wukong.serving.retraining.Turns;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One of the processes that serve a model: it follows the commits of the one that trains, and is
 * that one while it is elected. On a thread of its own; any thread may ask.
 */
public final class Replica implements Turns, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Replica.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration AGAIN = Duration.ofSeconds(1);
  private static final Duration CLOSE = Duration.ofSeconds(30);

  /** Events that steer training and wait to be logged are few, and streams wait for themselves. */
  private static final QueueRoom ROOM = new QueueRoom(1 << 12, 16L << 20);

  /** What a replica does. */
  public enum Role {
    /** It has not reached the others yet, or cannot go on. */
    STARTING,
    /** It follows what another one trains. */
    FOLLOWING,
    /** It trains. */
    TRAINING
  }

  /**
   * How a replica stands.
   *
   * @param reason why it does not follow; else empty
   * @param epoch who trains, as far as it knows
   * @param sequence of the last commit that is visible here
   * @param caughtUp whether it has once been where the others were
   * @param outdated whether it can follow no more, but could after a restart: from a checkpoint
   */
  public record Status(
      Role role, String reason, long epoch, long sequence, boolean caughtUp, boolean outdated) {
    /** The same after a commit that is visible here. */
    Status at(CommitOrder order, boolean current) {
      return new Status(role, "", order.epoch(), order.sequence(), current, false);
    }
  }

  private final KafkaSettings settings;
  private final String name;
  private final String model;
  private final StateStore store;
  private final EventLog events;
  private final EventRetention retention;
  private final Election election;
  private final AppliedCommits applied;
  private final RowSupply supply;
  private final LongSupplier clock;
  private final ReplicaMeters meters;
  private final SequencerMeters streams;
  private final Thread thread;
  private final AtomicReference<Status> status =
      new AtomicReference<>(new Status(Role.STARTING, "it begins", 0, 0, false, false));
  private volatile @Nullable ClusterTurn turn;
  private volatile boolean closed;

  /** Where the store could not be read since. Its thread's. */
  private CommitOrder last = CommitOrder.NONE;

  Replica(
      KafkaSettings settings,
      String name,
      String model,
      StateStore store,
      EventLog events,
      EventRetention retention,
      Election election,
      AppliedCommits applied,
      RowSupply supply,
      LongSupplier clock,
      ReplicaMeters meters,
      SequencerMeters streams) {
    this.settings = settings;
    this.name = name;
    this.model = model;
    this.store = store;
    this.events = events;
    this.retention = retention;
    this.election = election;
    this.applied = applied;
    this.supply = supply;
    this.clock = clock;
    this.meters = meters;
    this.streams = streams;
    this.thread = Thread.ofPlatform().name("replica-" + model).unstarted(this::work);
  }

  /** Begins. */
  public void start() {
    election.start(this::couldTrain);
    thread.start();
  }

  private boolean couldTrain() {
    Status now = status.get();
    return now.caughtUp() && now.role() != Role.STARTING;
  }

  /** How it stands. */
  public Status status() {
    return status.get();
  }

  @Override
  public @Nullable Turn now() {
    ClusterTurn now = turn;
    return now != null && now.enter() ? now : null;
  }

  private void work() {
    while (!closed) {
      try {
        Topics.make(settings);
        cutLog();
        follow();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (ExecutionException | RuntimeException e) {
        failed(e);
      }
    }
  }

  private void failed(Exception e) {
    if (closed) {
      return;
    }
    String reason = KafkaReasons.of(e);
    meters.failed();
    if (e instanceof ExecutionException
        || e instanceof KafkaException
        || e instanceof CommitException
        || e instanceof StoreException
        || e instanceof EventLogException) {
      log.warn("model '{}': this replica cannot go on, and tries again: {}", model, reason);
    } else {
      log.error("model '{}': this replica cannot go on, and tries again", model, e);
    }
    say(Role.STARTING, reason);
    if (e instanceof GapException gap && supply.restartHelps(gap, order())) {
      Status now = status.get();
      status.set(new Status(now.role(), reason, now.epoch(), now.sequence(), now.caughtUp(), true));
    }
    try {
      Thread.sleep(AGAIN);
    } catch (InterruptedException again) {
      Thread.currentThread().interrupt();
    }
  }

  private void say(Role role, String reason) {
    Status before = status.get();
    CommitOrder order = order();
    status.set(
        new Status(
            role,
            reason,
            Math.max(before.epoch(), order.epoch()),
            order.sequence(),
            before.caughtUp(),
            before.outdated()));
  }

  /** As of the last commit here; that of which it was last said where the store cannot be read. */
  private CommitOrder order() {
    try {
      last = CommitOrder.read(store, model);
    } catch (StoreException e) {
      log.debug("model '{}': its store cannot be read", model, e);
    }
    return last;
  }

  /** What it has logged and nobody has committed may get another order. */
  private void cutLog() {
    LogFilling.cut(events, Join.place(store, model));
  }

  private void follow() throws InterruptedException {
    CommitOrder from = CommitOrder.read(store, model);
    try (CommitReader reader = new CommitReader(settings, name, model, from)) {
      say(Role.FOLLOWING, "");
      log.info(
          "model '{}': follows after commit {} of epoch {}", model, from.sequence(), from.epoch());
      while (!closed) {
        boolean more = step(reader, POLL);
        meters.behind(reader.lag(), reader.stale());
        if (reader.upToDate()) {
          caughtUp(reader.order());
        }
        if (!more && election.won()) {
          train(reader);
          return; // From the store, as another one.
        }
      }
    }
  }

  /** Applies the next commit; whether there was something. */
  private boolean step(CommitReader reader, Duration patience) throws InterruptedException {
    Entry entry = reader.next(patience);
    if (entry instanceof Entry.Happened(CommitOrder order, CommitRecord.Made record)) {
      ModelCommit commit = supply.whole() ? reader.commit(record) : reader.served(record);
      if (applied.apply(order, record.bundle(), commit, () -> closed)) {
        meters.applied(order, record.atMs(), clock.getAsLong());
        Status before = status.get();
        status.set(before.at(order, before.caughtUp()));
      }
    }
    return entry != null;
  }

  private void caughtUp(CommitOrder order) {
    Status before = status.get();
    if (!before.caughtUp()) {
      log.info("model '{}': is where the others are, at commit {}", model, order.sequence());
    }
    status.set(before.at(order, true));
  }

  /** Until it is another's turn. */
  private void train(CommitReader reader) throws InterruptedException {
    long epoch = Math.max(election.epoch(), reader.order().epoch() + 1);
    try (CommitPublisher publisher = new CommitPublisher(settings, name + "-commits")) {
      if (!begin(publisher, reader, epoch)) {
        return;
      }
      LogPlace place = Join.place(store, model);
      LogFilling filling =
          new LogFilling(settings, name + "-filling", model, events, this::mayNotTrain);
      if (!filling.to(place, StreamProgress.runs(store, model))) {
        return;
      }
      log.info(
          "model '{}': this replica trains from epoch {} on; {} predictions were read again, {} are"
              + " no more",
          model,
          epoch,
          filling.filled(),
          filling.lost());
      trainFrom(place, reader, publisher);
    }
  }

  private boolean mayNotTrain() {
    return closed || !election.won();
  }

  /** Says that it begins, and reads up to there what happened before; whether it has. */
  private boolean begin(CommitPublisher publisher, CommitReader reader, long epoch)
      throws InterruptedException {
    long at = publisher.write(new CommitRecord.Begun(model, 0, epoch, name));
    while (reader.order().next() <= at) {
      if (closed) {
        return false;
      }
      boolean _ = step(reader, POLL);
    }
    // Unless another one has begun with the same, or a higher one.
    if (reader.order().epoch() != epoch || reader.order().next() != at + 1) {
      return false;
    }
    // Who is elected before it has found that out otherwise would never be ready.
    caughtUp(reader.order());
    return true;
  }

  private void trainFrom(LogPlace place, CommitReader reader, CommitPublisher publisher)
      throws InterruptedException {
    Sequencer sequencer =
        new Sequencer(
            settings,
            name + "-streams",
            model,
            StreamProgress.place(store, model),
            events,
            clock,
            streams);
    try (EventWriter writer = EventWriter.ofStreams(events, retention, ROOM, sequencer::nowMs);
        sequencer) {
      ClusterTurn now =
          new ClusterTurn(
              model,
              reader.order(),
              writer,
              publisher,
              reader,
              () ->
                  !closed
                      && election.won()
                      && sequencer.failure().isEmpty()
                      && writer.failure().isEmpty(),
              clock,
              meters);
      sequencer.start(writer);
      say(Role.TRAINING, "");
      meters.trains(true);
      turn = now;
      String reason = "the service stops";
      try {
        while (now.lasts()) {
          Thread.sleep(POLL);
          say(Role.TRAINING, "");
        }
        reason = closed ? reason : "another replica was elected";
      } finally {
        turn = null;
        now.end(reason);
        meters.trains(false);
      }
      log.info("model '{}': this replica trains no more, after {}", model, place);
    }
  }

  /** Ends; what was not committed is learned by another, or after the next start. */
  @Override
  public void close() {
    closed = true;
    election.close();
    try {
      if (!thread.join(CLOSE)) {
        log.warn("model '{}': the replica does not end", model);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
