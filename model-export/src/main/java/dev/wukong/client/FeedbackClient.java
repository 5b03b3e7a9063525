package dev.wukong.client;

import com.google.protobuf.ByteString;
import dev.wukong.proto.v1.Exposure;
import dev.wukong.proto.v1.FeedbackAcknowledgement;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.FeedbackServiceGrpc;
import dev.wukong.proto.v1.Label;
import dev.wukong.proto.v1.Refusal;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells the service what became of its predictions. What is not acknowledged when the stream breaks
 * is sent again, on the next one: an event that arrives twice has no further effect. Any thread.
 */
public final class FeedbackClient implements AutoCloseable {
  /** Events that may wait to be acknowledged; who reports more, waits. */
  private static final int MOST = 4096;

  /** Between a stream that broke and the next one. */
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final FeedbackServiceGrpc.FeedbackServiceStub stub;
  private final Consumer<Refusal> refusals;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Not acknowledged, in their order. Guarded by the lock. */
  private final Deque<FeedbackEvent> waiting = new ArrayDeque<>();

  /** Guarded by the lock. */
  private @Nullable StreamObserver<FeedbackEvent> stream;

  /** Why the last stream broke. Guarded by the lock. */
  private @Nullable Throwable broken;

  /** When the next stream may begin: a {@link System#nanoTime}. Guarded by the lock. */
  private long notBefore = System.nanoTime();

  /** What there was to wait for. Guarded by the lock. */
  private long changes;

  /** Guarded by the lock. */
  private long sequence;

  /** Guarded by the lock. */
  private long durable;

  /** Guarded by the lock. */
  private boolean closed;

  private FeedbackClient(Channel channel, Consumer<Refusal> refusals) {
    this.stub = FeedbackServiceGrpc.newStub(channel);
    this.refusals = refusals;
  }

  /**
   * A client over a channel that stays the caller's to close.
   *
   * @param refusals told of what the server does not accept
   */
  public static FeedbackClient over(Channel channel, Consumer<Refusal> refusals) {
    return new FeedbackClient(channel, refusals);
  }

  /**
   * Says which candidates of a prediction a user saw.
   *
   * @param positions in the request
   * @return a number to wait for
   */
  public long exposed(ByteString prediction, int[] positions, Instant when) {
    ByteBuffer bytes =
        ByteBuffer.allocate(positions.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(positions);
    return report(
        FeedbackEvent.newBuilder()
            .setPredictionId(prediction)
            .setExposure(
                Exposure.newBuilder()
                    .setPositions(ByteString.copyFrom(bytes))
                    .setEventTimeMs(when.toEpochMilli())));
  }

  /**
   * Says what came of a task for a candidate.
   *
   * @param position in the request
   * @param value 0 to 1
   * @return a number to wait for
   */
  public long labelled(
      ByteString prediction, int position, String task, float value, Instant when) {
    return report(
        FeedbackEvent.newBuilder()
            .setPredictionId(prediction)
            .setLabel(
                Label.newBuilder()
                    .setPosition(position)
                    .setTask(task)
                    .setValue(value)
                    .setEventTimeMs(when.toEpochMilli())));
  }

  private long report(FeedbackEvent.Builder event) {
    lock.lock();
    try {
      while (waiting.size() >= MOST && !closed) {
        awaitChange();
      }
      if (closed) {
        throw new IllegalStateException("the client is closed");
      }
      FeedbackEvent next = event.setSequence(++sequence).build();
      waiting.add(next);
      if (stream == null) {
        begin();
      } else {
        stream.onNext(next);
      }
      return next.getSequence();
    } finally {
      lock.unlock();
    }
  }

  /** Guarded by the lock. */
  private void wake() {
    changes++;
    changed.signalAll();
  }

  /** Waits for an acknowledgement, or until it is time for another stream. */
  private void awaitChange() {
    long seen = changes;
    long left = PAUSE.toNanos();
    try {
      while (left > 0 && changes == seen) {
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    if (stream == null) {
      begin();
    }
  }

  /** Begins another stream with all that waits, if it is time to. */
  private void begin() {
    if (System.nanoTime() - notBefore < 0 || waiting.isEmpty()) {
      return;
    }
    StreamObserver<FeedbackEvent> next = stub.report(new Acknowledgements());
    stream = next;
    waiting.forEach(next::onNext);
  }

  /** Of one stream; those of former ones have nothing to say. */
  private final class Acknowledgements implements StreamObserver<FeedbackAcknowledgement> {
    @Override
    public void onNext(FeedbackAcknowledgement acknowledgement) {
      try {
        // Told before those who wait go on: they may look at what was refused.
        acknowledgement.getRefusalsList().forEach(refusals);
      } finally {
        acknowledged(acknowledgement);
      }
    }

    private void acknowledged(FeedbackAcknowledgement acknowledgement) {
      lock.lock();
      try {
        durable = Math.max(durable, acknowledgement.getDurableSequence());
        while (!waiting.isEmpty() && waiting.getFirst().getSequence() <= durable) {
          waiting.removeFirst();
        }
        wake();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void onError(Throwable cause) {
      ended(cause);
    }

    @Override
    public void onCompleted() {
      ended(null);
    }
  }

  private void ended(@Nullable Throwable cause) {
    lock.lock();
    try {
      stream = null;
      broken = cause;
      notBefore = System.nanoTime() + PAUSE.toNanos();
      wake();
    } finally {
      lock.unlock();
    }
  }

  /** The number up to which all events are on stable storage, or were refused. */
  public long durable() {
    lock.lock();
    try {
      return durable;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all up to a number are on stable storage, or were refused.
   *
   * @throws IllegalStateException if they are not in time; with why the last stream broke, if one
   *     did
   */
  public void awaitDurable(long number, Duration patience) {
    long until = System.nanoTime() + patience.toNanos();
    lock.lock();
    try {
      while (durable < number) {
        if (closed || System.nanoTime() - until >= 0) {
          throw new IllegalStateException(
              "event %d is not acknowledged, but %d".formatted(number, durable), broken);
        }
        awaitChange();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends the stream; what is not acknowledged may be stored or not. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      if (stream != null) {
        stream.onCompleted();
      }
      wake();
    } finally {
      lock.unlock();
    }
  }
}
