package dev.wukong.serving.testing;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;

/** Takes the one answer of a call that is made without a channel. Any thread. */
public final class Answer<T> implements StreamObserver<T> {
  private final CompletableFuture<T> outcome = new CompletableFuture<>();

  @Override
  public void onNext(T value) {
    outcome.complete(value);
  }

  @Override
  public void onError(Throwable cause) {
    outcome.completeExceptionally(cause);
  }

  @Override
  public void onCompleted() {}

  /** The answer of a call that has ended. */
  public T value() {
    return outcome.resultNow();
  }

  /** Why a call that has ended has no answer. */
  public Status refusal() {
    return Status.fromThrowable(outcome.exceptionNow());
  }
}
