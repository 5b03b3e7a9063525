package dev.wukong.serving.predict;

import dev.wukong.proto.v1.FeedbackAcknowledgement;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.Refusal;
import dev.wukong.proto.v1.Refusal.Reason;
import dev.wukong.serving.events.EventSink;
import dev.wukong.serving.events.FeedbackItem.Outcome;
import dev.wukong.serving.predict.FeedbackCheck.Checked;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One caller's feedback. Events go to the log in their order; an acknowledgement says up to which
 * all are settled, and is sent whenever some more are, several together where they come fast. So
 * many events may wait for the disk, then no more are asked for. The call's thread takes events,
 * the log's tells of outcomes.
 */
final class FeedbackStream implements StreamObserver<FeedbackEvent> {
  /** Events that may wait to be durable. */
  private static final int WINDOW = 1024;

  /** So long an event waits for room in the log's queue. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final EventSink sink;
  private final FeedbackCheck check;
  private final String source;
  private final LongSupplier clock;
  private final Executor executor;
  private final ServerCallStreamObserver<FeedbackAcknowledgement> answer;

  /** An event on its way. Guarded by the stream. */
  private static final class Pending {
    final long sequence;
    boolean settled;
    @Nullable Refusal refusal;

    Pending(long sequence) {
      this.sequence = sequence;
    }
  }

  /** Of the event before. The call's thread. */
  private long last;

  /** In the order of their sequences. Guarded by this. */
  private final Deque<Pending> pending = new ArrayDeque<>();

  /** Guarded by this. */
  private boolean sending;

  /** Whether the caller has said that no more come. Guarded by this. */
  private boolean half;

  /** Guarded by this. */
  private boolean over;

  /** Why the stream has to end. Guarded by this. */
  private @Nullable Status failure;

  /**
   * A stream that has just begun.
   *
   * @param source who reports; empty where that is not known
   * @param clock milliseconds since 1970-01-01 UTC
   */
  FeedbackStream(
      EventSink sink,
      FeedbackCheck check,
      String source,
      LongSupplier clock,
      Executor executor,
      ServerCallStreamObserver<FeedbackAcknowledgement> answer) {
    this.sink = sink;
    this.check = check;
    this.source = source;
    this.clock = clock;
    this.executor = executor;
    this.answer = answer;
    answer.disableAutoRequest();
    answer.setOnCancelHandler(this::gone);
    answer.request(WINDOW);
  }

  private synchronized void gone() {
    over = true; // What is on its way is logged all the same.
  }

  @Override
  public void onNext(FeedbackEvent event) {
    if (event.getSequence() <= last) {
      fail(
          Status.INVALID_ARGUMENT.withDescription(
              "field 'sequence' is %d, want more than %d, that of the event before"
                  .formatted(event.getSequence(), last)));
      return;
    }
    last = event.getSequence();
    Pending own = new Pending(last);
    synchronized (this) {
      if (over || failure != null) {
        return;
      }
      pending.add(own);
    }
    switch (check.check(event, source, clock.getAsLong())) {
      case Checked.Unfit(var reason, var message) -> refuse(own, reason, message);
      case Checked.Fit(var item) -> {
        try {
          if (!sink.submit(item, PATIENCE, outcome -> settled(own, outcome))) {
            fail(
                Status.RESOURCE_EXHAUSTED.withDescription(
                    "too many events wait to be stored; send what is not acknowledged later"));
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          fail(Status.UNAVAILABLE.withDescription("the server is stopping"));
        }
      }
    }
  }

  private void settled(Pending own, Outcome outcome) {
    switch (outcome) {
      case Outcome.Durable _ -> settle(own, null);
      case Outcome.Unknown _ ->
          refuse(own, Reason.REASON_UNKNOWN_PREDICTION, "no logged prediction has this id");
      case Outcome.Invalid(var message) -> refuse(own, Reason.REASON_INVALID, message);
      case Outcome.Failed(var reason) -> fail(Status.UNAVAILABLE.withDescription(reason));
    }
  }

  private void refuse(Pending own, Reason reason, String message) {
    settle(
        own,
        Refusal.newBuilder()
            .setSequence(own.sequence)
            .setReason(reason)
            .setMessage(message)
            .build());
  }

  private synchronized void settle(Pending own, @Nullable Refusal refusal) {
    own.settled = true;
    own.refusal = refusal;
    send();
  }

  private synchronized void fail(Status status) {
    if (failure == null) {
      failure = status;
    }
    send();
  }

  /** Has what there is to say said soon. Guarded by this. */
  private void send() {
    if (!sending && !over) {
      sending = true;
      executor.execute(this::acknowledge);
    }
  }

  private synchronized void acknowledge() {
    sending = false;
    if (over) {
      return;
    }
    List<Refusal> refusals = new ArrayList<>();
    long durable = 0;
    int settled = 0;
    while (!pending.isEmpty() && pending.getFirst().settled) {
      Pending first = pending.removeFirst();
      durable = first.sequence;
      if (first.refusal != null) {
        refusals.add(first.refusal);
      }
      settled++;
    }
    if (settled > 0) {
      answer.onNext(
          FeedbackAcknowledgement.newBuilder()
              .setDurableSequence(durable)
              .addAllRefusals(refusals)
              .build());
    }
    if (failure != null) {
      over = true;
      answer.onError(failure.asRuntimeException());
    } else if (half && pending.isEmpty()) {
      over = true;
      answer.onCompleted();
    } else if (settled > 0 && !half) {
      answer.request(settled);
    }
  }

  @Override
  public void onError(Throwable cause) {
    gone();
  }

  @Override
  public synchronized void onCompleted() {
    half = true;
    send();
  }
}
