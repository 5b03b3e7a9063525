package dev.wukong.serving.figures;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Everything but ordinary Predict calls, over and over: the other doors, bad requests, callers who
 * go away, deadlines that pass, connections that come and go. One thread of its own.
 */
final class SoakCallers implements AutoCloseable {
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(150);

  /** What any call may end with on a server that is at its limit for a moment. */
  private static final Set<Code> BUSY = EnumSet.of(Code.RESOURCE_EXHAUSTED, Code.DEADLINE_EXCEEDED);

  private final ServerUnderTest server;
  private final ManagedChannel channel;
  private final List<PredictRequest> requests;
  private final ModelInferRequest infer;
  private final String json;
  private final SoakTurns turns = new SoakTurns("soak-callers", this::call);

  /**
   * Callers.
   *
   * @param infer a request of the Open Inference Protocol that is answered
   * @param json one for REST
   */
  SoakCallers(
      ServerUnderTest server, List<PredictRequest> requests, ModelInferRequest infer, String json) {
    this.server = server;
    this.channel = server.channel();
    this.requests = requests;
    this.infer = infer;
    this.json = json;
  }

  /** Calls made; failed are those that ended in another way than they must. */
  SoakTurns turns() {
    return turns;
  }

  private void call() throws InterruptedException {
    for (int i = 0; !turns.stopped(); i++) {
      String end;
      try {
        end = once(i, requests.get(i % requests.size()));
      } catch (IOException e) {
        end = e.toString();
      }
      turns.made();
      if (!end.isEmpty()) {
        turns.failed(end);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** Makes the call of turn {@code i}; empty where it ends as it must. */
  private String once(int i, PredictRequest request) throws IOException, InterruptedException {
    PredictRequest otherSchema = request.toBuilder().setSchemaId("0".repeat(64)).build();
    PredictRequest cutOff =
        request.toBuilder()
            .setCandidates(request.getCandidates().toBuilder().setIds(ByteString.EMPTY))
            .build();
    return switch (i % 10) {
      case 0, 5 -> ends("ModelInfer", Code.OK, () -> infer(infer));
      case 1 -> expectHttp("POST predict", server.post("/models/small/predict", json), 200);
      case 2 -> ends("another schema", Code.FAILED_PRECONDITION, () -> predict(otherSchema, 2000));
      case 3 -> ends("a short block", Code.INVALID_ARGUMENT, () -> predict(cutOff, 2000));
      case 4 -> cancelled(request);
      case 6 -> ends("no time", Code.DEADLINE_EXCEEDED, () -> predict(request, 1));
      case 7 -> newConnection(request);
      case 8 -> expectHttp("POST nonsense", server.post("/models/small/predict", "{\"a\":"), 400);
      default ->
          ends(
              "ModelInfer without tensors",
              Code.INVALID_ARGUMENT,
              () -> infer(infer.toBuilder().clearInputs().clearRawInputContents().build()));
    };
  }

  private void predict(PredictRequest request, long millis) {
    predict(channel, request, millis);
  }

  private static void predict(ManagedChannel over, PredictRequest request, long millis) {
    PredictResponse answer =
        RankingServiceGrpc.newBlockingStub(over)
            .withDeadlineAfter(millis, TimeUnit.MILLISECONDS)
            .predict(request);
    if (answer.getScores().isEmpty()) {
      throw new IllegalStateException("an answer without scores");
    }
  }

  private void infer(ModelInferRequest request) {
    int outputs =
        GRPCInferenceServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(2, TimeUnit.SECONDS)
            .modelInfer(request)
            .getOutputsCount();
    if (outputs != 2) {
      throw new IllegalStateException("an answer with %d outputs".formatted(outputs));
    }
  }

  private String cancelled(PredictRequest request) {
    ListenableFuture<PredictResponse> answer =
        RankingServiceGrpc.newFutureStub(channel)
            .withDeadlineAfter(2, TimeUnit.SECONDS)
            .predict(request);
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
    answer.cancel(true);
    return "";
  }

  private String newConnection(PredictRequest request) {
    ManagedChannel own = server.channel();
    try {
      return ends("a new connection", Code.OK, () -> predict(own, request, 2000));
    } finally {
      own.shutdownNow();
    }
  }

  private static String expectHttp(String name, int status, int expected) {
    return status == expected || status == 429 || status == 504
        ? ""
        : "%s: status %d instead of %d".formatted(name, status, expected);
  }

  private static String ends(String name, Code expected, Runnable call) {
    Code code = Code.OK;
    String description = "";
    try {
      call.run();
    } catch (StatusRuntimeException e) {
      code = e.getStatus().getCode();
      description = e.getStatus().toString();
    } catch (IllegalStateException e) {
      return name + ": " + e.getMessage();
    }
    // What has a millisecond only may be answered within it.
    return code == expected
            || BUSY.contains(code)
            || (expected == Code.DEADLINE_EXCEEDED && code == Code.OK)
        ? ""
        : "%s: %s instead of %s %s".formatted(name, code, expected, description);
  }

  /** Ends after the call under way. */
  @Override
  public void close() {
    turns.close();
    channel.shutdownNow();
  }
}
