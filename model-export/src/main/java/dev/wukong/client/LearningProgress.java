package dev.wukong.client;

import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.proto.v1.TrainingStatus;
import io.grpc.Channel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How the online training of a model stands.
 *
 * @param examples learned from since the bundle, by the last commit
 * @param halted whether it cannot go on by itself
 * @param reason why it does not learn; empty while it does
 */
public record LearningProgress(long examples, boolean halted, String reason) {
  /**
   * That of {@code model}, asked of the service behind {@code channel}.
   *
   * @throws io.grpc.StatusRuntimeException where there is no answer within {@code deadline}
   */
  public static LearningProgress of(Channel channel, String model, Duration deadline) {
    TrainingStatus training =
        StatusServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS)
            .getModel(GetModelRequest.newBuilder().setName(model).build())
            .getStatus()
            .getTraining();
    return new LearningProgress(
        training.getExamples(),
        training.getPhase() == TrainingStatus.Phase.PHASE_HALTED,
        training.getReason());
  }
}
