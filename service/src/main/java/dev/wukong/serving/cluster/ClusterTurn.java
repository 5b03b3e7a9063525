package dev.wukong.serving.cluster;

import dev.wukong.serving.cluster.CommitReader.Entry;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.retraining.Turn;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The time in which this replica trains. Each commit first goes to the brokers, where all read in
 * the same order what happened; then it changes this process as it will change the others.
 */
final class ClusterTurn implements Turn {
  private static final Duration READ = Duration.ofSeconds(10);

  private final String model;
  private final long epoch;
  private final EventWriter writer;
  private final CommitPublisher publisher;
  private final CommitReader reader;
  private final BooleanSupplier lasts;
  private final ReplicaMeters meters;
  private final LongSupplier clock;

  /** After the last record of this turn. The trainer's thread. */
  private CommitOrder order;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition idle = lock.newCondition();

  /** How many learn in it. Guarded by the lock. */
  private int learners;

  private volatile @Nullable String lost;

  /**
   * A turn that has begun.
   *
   * @param order after the record that it began
   * @param reader which has read that; nobody else reads meanwhile
   * @param lasts whether nothing is known that ends it
   */
  ClusterTurn(
      String model,
      CommitOrder order,
      EventWriter writer,
      CommitPublisher publisher,
      CommitReader reader,
      BooleanSupplier lasts,
      LongSupplier clock,
      ReplicaMeters meters) {
    this.model = model;
    this.epoch = order.epoch();
    this.order = order;
    this.writer = writer;
    this.publisher = publisher;
    this.reader = reader;
    this.lasts = lasts;
    this.clock = clock;
    this.meters = meters;
  }

  /** The trainer begins to learn in it; whether it may. */
  boolean enter() {
    lock.lock();
    try {
      boolean may = lasts();
      learners += may ? 1 : 0;
      return may;
    } finally {
      lock.unlock();
    }
  }

  /** Ends it, and waits until the trainer does nothing more in it. */
  void end(String reason) throws InterruptedException {
    lose(reason);
    lock.lockInterruptibly();
    try {
      while (learners > 0) {
        idle.await();
      }
    } finally {
      lock.unlock();
    }
  }

  private void lose(String reason) {
    if (lost == null) {
      lost = reason;
    }
  }

  @Override
  public long epoch() {
    return epoch;
  }

  @Override
  public boolean lasts() {
    return lost == null && lasts.getAsBoolean();
  }

  @Override
  public long append(String name, Event control) throws InterruptedException {
    return writer.append(name, control);
  }

  @Override
  public long awaitEnd(long beyond, Duration patience) throws InterruptedException {
    return writer.awaitEnd(beyond, patience);
  }

  @Override
  public boolean commit(ServedModel served, long bundle, ModelCommit commit) {
    if (!lasts()) {
      throw new LostException(lost == null ? "another replica was elected" : lost);
    }
    boolean done = false;
    try {
      publish(bundle, commit);
      // From here on it has happened. Where it does not happen here, this replica reads it as the
      // others do.
      if (!served.commit(bundle, commit.with(List.of(order.put())))) {
        throw new LostException("version %d is not loaded here any more".formatted(bundle));
      }
      meters.applied(order, clock.getAsLong());
      done = true;
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LostException("interrupted while a commit was written", e);
    } catch (CommitException e) {
      throw new LostException(KafkaReasons.of(e), e);
    } finally {
      if (!done) {
        lose("a commit has failed");
      }
    }
  }

  private void publish(long bundle, ModelCommit commit) throws InterruptedException {
    long sequence = order.sequence() + 1;
    var remembered =
        publisher.pieces(Topic.STATES, epoch, sequence, CommitBytes.remembered(commit));
    var served = publisher.pieces(Topic.DELTAS, epoch, sequence, CommitBytes.served(commit));
    CommitRecord.Made record =
        new CommitRecord.Made(
            model, 0, epoch, sequence, bundle, clock.getAsLong(), served, remembered);
    if (!lasts()) { // Checked last: a process may have stood still meanwhile.
      throw new LostException("another replica was elected");
    }
    long offset = publisher.write(record);
    CommitOrder after = new CommitOrder(offset + 1, epoch, sequence);
    if (offset != order.next() && !happened(after)) {
      throw new LostException("another replica began to train before a commit");
    }
    order = after;
    meters.published(served, remembered);
  }

  /** Whether the commit that was written before {@code after} happened: something came between. */
  private boolean happened(CommitOrder after) {
    long begun = System.nanoTime();
    while (System.nanoTime() - begun < READ.toNanos()) {
      Entry entry = reader.next(Duration.ofMillis(200));
      if (reader.order().epoch() != epoch) {
        return false;
      }
      if (entry != null && entry.order().equals(after)) {
        return true;
      }
    }
    throw new CommitException("a commit that was written cannot be read");
  }

  @Override
  public void close() {
    lock.lock();
    try {
      learners--;
      idle.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
