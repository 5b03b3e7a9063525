package dev.wukong.serving.figures;

import dev.wukong.serving.figures.OpenLoop.Call;
import dev.wukong.serving.figures.OpenLoop.End;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Calls through one {@link Door}: a fixed number in flight, or at times that do not depend on the
 * answers. Each run goes on with the requests where the last one stopped. One run at a time.
 */
final class DoorLoad {
  private static final long DEADLINE_MILLIS = 20_000;

  private final List<ManagedChannel> channels;
  private final Door door;
  private final SplittableRandom random = new SplittableRandom(1);
  private final AtomicLong next = new AtomicLong();

  /** A description of the last failure. */
  private volatile String failure = "";

  DoorLoad(List<ManagedChannel> channels, Door door) {
    this.channels = channels;
    this.door = door;
  }

  String failure() {
    return failure;
  }

  /** Something read at both ends of the measured time. */
  @FunctionalInterface
  interface Reading {
    void read() throws Exception;
  }

  /**
   * What calls came to.
   *
   * @param answered in {@code seconds}
   * @param failed in all of the run
   */
  record Closed(long answered, long failed, double seconds) {
    double rate() {
      return answered / seconds;
    }
  }

  /**
   * Keeps {@code inFlight} calls in flight and counts the answers between {@code settle} and {@code
   * settle + seconds}.
   *
   * @param reading done before and after the counted time
   */
  Closed closed(int inFlight, double settle, double seconds, Reading reading) throws Exception {
    AtomicLong answered = new AtomicLong();
    AtomicLong failed = new AtomicLong();
    AtomicBoolean stop = new AtomicBoolean();
    Phaser open = new Phaser(1);
    for (int i = 0; i < inFlight; i++) {
      open.register();
      chain(answered, failed, stop, open);
    }
    Closed closed;
    try {
      TimeUnit.MILLISECONDS.sleep((long) (settle * 1000));
      reading.read();
      long before = answered.get();
      long start = System.nanoTime();
      TimeUnit.MILLISECONDS.sleep((long) (seconds * 1000));
      double took = (System.nanoTime() - start) / 1e9;
      long after = answered.get();
      reading.read();
      closed = new Closed(after - before, failed.get(), took);
    } finally {
      stop.set(true);
    }
    awaitAll(open);
    return new Closed(closed.answered, failed.get(), closed.seconds);
  }

  private void chain(AtomicLong answered, AtomicLong failed, AtomicBoolean stop, Phaser open) {
    long sequence = next.getAndIncrement();
    door.call(
        channels.get((int) (sequence % channels.size())),
        sequence,
        DEADLINE_MILLIS,
        new StreamObserver<>() {
          @Override
          public void onNext(byte[] value) {}

          @Override
          public void onError(Throwable t) {
            failure = String.valueOf(t.getMessage());
            failed.incrementAndGet();
            // Refusals that come at once must not keep the caller's core from all else.
            LockSupport.parkNanos(1_000_000);
            again();
          }

          @Override
          public void onCompleted() {
            answered.incrementAndGet();
            again();
          }

          private void again() {
            if (stop.get()) {
              open.arriveAndDeregister();
            } else {
              chain(answered, failed, stop, open);
            }
          }
        });
  }

  /** Sends {@code rate} calls a second for {@code seconds} and waits for the last to end. */
  List<Call> open(double rate, double seconds) throws Exception {
    ConcurrentLinkedQueue<Call> calls = new ConcurrentLinkedQueue<>();
    Phaser open = new Phaser(1);
    Arrivals arrivals = Arrivals.random(random, rate, seconds);
    while (arrivals.next()) {
      open.register();
      send(calls, open, arrivals.start(), arrivals.due());
    }
    awaitAll(open);
    return List.copyOf(calls);
  }

  private void send(ConcurrentLinkedQueue<Call> calls, Phaser open, long start, long due) {
    long sequence = next.getAndIncrement();
    long late = System.nanoTime() - due;
    door.call(
        channels.get((int) (sequence % channels.size())),
        sequence,
        DEADLINE_MILLIS,
        new StreamObserver<>() {
          @Override
          public void onNext(byte[] value) {}

          @Override
          public void onError(Throwable t) {
            failure = String.valueOf(t.getMessage());
            end(End.FAILED);
          }

          @Override
          public void onCompleted() {
            end(End.ANSWERED);
          }

          private void end(End end) {
            calls.add(new Call(due - start, late, System.nanoTime() - due, end, 0));
            open.arriveAndDeregister();
          }
        });
  }

  /** More calls may be open than one phaser counts only if the server answers none of them. */
  private static void awaitAll(Phaser open) throws InterruptedException {
    int phase = open.arrive();
    try {
      open.awaitAdvanceInterruptibly(phase, 60, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new IllegalStateException("calls have not ended 60 s after the last was sent", e);
    }
  }
}
