package dev.wukong.serving.predict;

import dev.wukong.proto.v1.FeedbackAcknowledgement;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.FeedbackServiceGrpc;
import dev.wukong.serving.events.EventSink;
import dev.wukong.serving.security.Caller;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Takes what became of predictions. */
public final class FeedbackService extends FeedbackServiceGrpc.FeedbackServiceImplBase
    implements AutoCloseable {
  private final @Nullable EventSink sink;
  private final @Nullable FeedbackCheck check;
  private final LongSupplier clock;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  private FeedbackService(
      @Nullable EventSink sink, @Nullable FeedbackCheck check, LongSupplier clock) {
    this.sink = sink;
    this.check = check;
    this.clock = clock;
  }

  /** Where no model learns. */
  public static FeedbackService off() {
    return new FeedbackService(null, null, () -> 0);
  }

  /**
   * For a log, and ids as they are.
   *
   * @param tasks of the model that learns; empty where none is loaded now
   * @param horizon how long after a prediction feedback can be joined
   * @param mostPositions of an exposure
   * @param clock milliseconds since 1970-01-01 UTC
   */
  public static FeedbackService of(
      EventSink sink,
      Supplier<List<String>> tasks,
      Duration horizon,
      int mostPositions,
      LongSupplier clock) {
    return of(sink, tasks, horizon, mostPositions, clock, FeedbackTokens.plain(), "");
  }

  /**
   * The same for ids as {@code tokens} has them.
   *
   * @param model that learns
   */
  public static FeedbackService of(
      EventSink sink,
      Supplier<List<String>> tasks,
      Duration horizon,
      int mostPositions,
      LongSupplier clock,
      FeedbackTokens tokens,
      String model) {
    return new FeedbackService(
        sink, new FeedbackCheck(tasks, horizon, mostPositions, tokens, model), clock);
  }

  @Override
  public StreamObserver<FeedbackEvent> report(StreamObserver<FeedbackAcknowledgement> answer) {
    if (sink == null || check == null) {
      answer.onError(
          Status.UNIMPLEMENTED
              .withDescription(
                  "no model learns on this server, so that it takes no feedback:"
                      + " wukong.online.model names the one that does")
              .asRuntimeException());
      return new Ignored();
    }
    return new FeedbackStream(
        sink,
        check,
        Caller.source(),
        clock,
        executor,
        (ServerCallStreamObserver<FeedbackAcknowledgement>) answer);
  }

  /** Events of a call that has ended. */
  private static final class Ignored implements StreamObserver<FeedbackEvent> {
    @Override
    public void onNext(FeedbackEvent event) {}

    @Override
    public void onError(Throwable cause) {}

    @Override
    public void onCompleted() {}
  }

  @Override
  public void close() {
    executor.close();
  }
}
