package dev.wukong.serving.predict;

import dev.wukong.proto.v1.FeedbackAcknowledgement;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.FeedbackServiceGrpc;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/** Refuses feedback, so that nobody believes it was kept. */
public final class FeedbackService extends FeedbackServiceGrpc.FeedbackServiceImplBase {
  @Override
  public StreamObserver<FeedbackEvent> report(StreamObserver<FeedbackAcknowledgement> answer) {
    answer.onError(
        Status.UNIMPLEMENTED
            .withDescription(
                "this server does not take feedback: online training is not part of it yet")
            .asRuntimeException());
    return new StreamObserver<>() {
      @Override
      public void onNext(FeedbackEvent event) {}

      @Override
      public void onError(Throwable cause) {}

      @Override
      public void onCompleted() {}
    };
  }
}
