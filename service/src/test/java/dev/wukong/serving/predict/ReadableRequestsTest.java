package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.ListModelsRequest;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.serving.testing.Served;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ClientCalls;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@ExtendWith(OutputCaptureExtension.class)
class ReadableRequestsTest {
  private static final byte[] GARBAGE = {(byte) 0xFF, (byte) 0xFF, 7, 0x0A, 120};

  /** The field model.name with a byte that is no UTF-8. */
  private static final byte[] BAD_NAME = {0x0A, 3, 0x0A, 1, (byte) 0xFF};

  private static final class Bytes implements Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static StatusRuntimeException call(Served served, String method, byte[] message) {
    MethodDescriptor<byte[], byte[]> descriptor =
        MethodDescriptor.newBuilder(new Bytes(), new Bytes())
            .setFullMethodName(method)
            .setType(MethodType.UNARY)
            .build();
    return catchThrowableOfType(
        StatusRuntimeException.class,
        () ->
            ClientCalls.blockingUnaryCall(
                served.channel(), descriptor, CallOptions.DEFAULT, message));
  }

  @Test
  void call_bytesThatAreNoMessage_isInvalidArgumentAndCounted(
      @TempDir Path root, CapturedOutput output) {
    try (Served served = Served.start(root)) {
      List<String> methods =
          List.of(
              "wukong.v1.RankingService/Predict",
              "wukong.v1.StatusService/GetModel",
              "grpc.health.v1.Health/Check");
      for (String method : methods) {
        StatusRuntimeException refusal = call(served, method, GARBAGE);
        assertThat(refusal.getStatus().getCode()).isEqualTo(Code.INVALID_ARGUMENT);
        assertThat(refusal.getStatus().getDescription())
            .startsWith("the message is not what " + method + " takes: ");
      }
      assertThat(call(served, methods.getFirst(), BAD_NAME).getStatus().getDescription())
          .contains("UTF-8");
      // Those of Predict alone.
      assertThat(unreadable(served)).isEqualTo(2);
      assertThat(
              StatusServiceGrpc.newBlockingStub(served.channel())
                  .listModels(ListModelsRequest.getDefaultInstance())
                  .getModelsCount())
          .isZero();
    }
    assertThat(output.getAll()).doesNotContain("\tat ").doesNotContain("Exception while");
  }

  private static double unreadable(Served served) {
    return served
        .bean(MeterRegistry.class)
        .get("wukong.predict.refusals")
        .tag("reason", "unreadable")
        .counter()
        .count();
  }

  @Test
  void call_compressedMessageThatIsTooLarge_isResourceExhaustedAndCounted(@TempDir Path root) {
    PredictRequest request =
        PredictRequest.newBuilder()
            .setCandidates(Block.newBuilder().setStrings(ByteString.copyFrom(new byte[9 << 20])))
            .build();
    try (Served served = Served.start(root)) {
      StatusRuntimeException refusal =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () ->
                  RankingServiceGrpc.newBlockingStub(served.channel())
                      .withCompression("gzip")
                      .predict(request));

      assertThat(refusal.getStatus().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
      assertThat(unreadable(served)).isEqualTo(1);
    }
  }

  @Test
  void over_aService_keepsItsMethodsAndItsSchema() {
    ServerServiceDefinition health = new HealthStatusManager().getHealthService().bindService();

    ServerServiceDefinition over = new ReadableRequests(new SimpleMeterRegistry()).over(health);

    assertThat(over.getServiceDescriptor().getName())
        .isEqualTo(health.getServiceDescriptor().getName());
    assertThat(over.getServiceDescriptor().getSchemaDescriptor())
        .isSameAs(health.getServiceDescriptor().getSchemaDescriptor())
        .isNotNull();
    assertThat(over.getMethods()).hasSameSizeAs(health.getMethods());
  }
}
