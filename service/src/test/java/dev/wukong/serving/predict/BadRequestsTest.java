package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.protobuf.ByteString;
import dev.wukong.client.RankingClient;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.FeedbackAcknowledgement;
import dev.wukong.proto.v1.FeedbackServiceGrpc;
import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bad request changes one thing of a good one, which has one context and two candidates. */
@TestInstance(Lifecycle.PER_CLASS)
class BadRequestsTest {
  private static final String ID = TinyModel.schema().id();

  private Served served;
  private PredictRequest good;

  /** A change of the good request. */
  interface Change extends UnaryOperator<PredictRequest.Builder> {}

  /** A change of a block. */
  interface BlockChange extends UnaryOperator<Block.Builder> {}

  @BeforeAll
  void start(@TempDir Path root) throws Exception {
    new TinyModel(1).write(root.resolve("bundles"), "tiny", 1);
    new TinyModel(1).write(root.resolve("bundles"), "twin", 1);
    served =
        Served.start(
            root.resolve("bundles"),
            "wukong.models=tiny,empty,twin",
            "wukong.limits.candidates=100",
            "wukong.limits.contexts=10");
    served.awaitServing("tiny", 1);
    served.awaitServing("twin", 1);
    try (RankingClient client =
        RankingClient.over(served.channel(), "tiny", Duration.ofMinutes(2))) {
      good =
          client
              .packer()
              .pack(
                  Map.of("user", 100, "age", 1),
                  List.of(
                      Map.of(
                          "item",
                          1,
                          "tags",
                          List.of("red", "blue"),
                          "tag_weights",
                          List.of(1, 1),
                          "price",
                          2,
                          "picture",
                          List.of(1, 2)),
                      Map.of(
                          "item",
                          2,
                          "tags",
                          List.of("red"),
                          "tag_weights",
                          List.of(1),
                          "price",
                          3,
                          "picture",
                          List.of(3, 4))));
    }
  }

  @AfterAll
  void stop() {
    served.close();
  }

  private static Arguments bad(Code code, String message, Change change) {
    return arguments(code, message, change);
  }

  private static Arguments candidates(String message, BlockChange change) {
    return bad(
        Code.INVALID_ARGUMENT,
        message,
        r -> r.setCandidates(change.apply(r.getCandidates().toBuilder())));
  }

  private static Arguments context(String message, BlockChange change) {
    return bad(
        Code.INVALID_ARGUMENT,
        message,
        r -> r.setContext(change.apply(r.getContext().toBuilder())));
  }

  private static Change model(UnaryOperator<ModelSelector.Builder> change) {
    return r -> r.setModel(change.apply(r.getModel().toBuilder()));
  }

  private static ByteString cut(ByteString bytes) {
    return bytes.substring(0, bytes.size() - 1);
  }

  private static ByteString latin(String text) {
    return ByteString.copyFrom(text, StandardCharsets.ISO_8859_1);
  }

  private static ByteString ints(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.putInt(value);
    }
    return ByteString.copyFrom(bytes.flip());
  }

  private static ByteString floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return ByteString.copyFrom(bytes.flip());
  }

  private static ByteString doubles(double... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      bytes.putDouble(value);
    }
    return ByteString.copyFrom(bytes.flip());
  }

  static Stream<Arguments> badRequests() {
    Code invalid = Code.INVALID_ARGUMENT;
    return Stream.of(
        bad(
            invalid,
            "model.name is empty; this server has several models: [empty, tiny, twin]",
            model(m -> m.clearName())),
        bad(
            invalid,
            "model.name is 'No Such'; 1 to 64 of a-z, 0-9, '_' and '-' are allowed",
            model(m -> m.setName("No Such"))),
        bad(
            Code.NOT_FOUND,
            "model.name is 'other'; this server has [empty, tiny, twin]",
            model(m -> m.setName("other"))),
        bad(
            Code.UNAVAILABLE,
            "model 'empty' has no version that serves yet",
            model(m -> m.setName("empty"))),
        bad(
            Code.NOT_FOUND,
            "model.version is 2; loaded of 'tiny' are [1]",
            model(m -> m.setVersion(2))),
        bad(invalid, "model.version is -1; 1 or more is allowed", model(m -> m.setVersion(-1))),
        bad(
            Code.NOT_FOUND,
            "model.label is 'canary'; model 'tiny' has no labels",
            model(m -> m.setLabel("canary"))),
        bad(
            invalid,
            "model.label is '../x'; 1 to 64 of a-z, 0-9, '_' and '-' are allowed",
            model(m -> m.setLabel("../x"))),
        bad(invalid, "schema_id is empty; that of model 'tiny' is " + ID, r -> r.clearSchemaId()),
        bad(
            Code.FAILED_PRECONDITION,
            "schema_id is 'abc'; that of model 'tiny' version 1 is " + ID,
            r -> r.setSchemaId("abc")),
        bad(
            invalid,
            "request_id has 129 bytes; up to 128 are allowed",
            r -> r.setRequestId("x".repeat(129))),
        bad(invalid, "criticality is 9; 0 to 3 are allowed", r -> r.setCriticalityValue(9)),
        bad(
            invalid,
            "candidates is missing; a block of 1 to 100 rows is needed",
            r -> r.clearCandidates()),
        bad(
            invalid,
            "context is missing; a block of 1 to 10 rows is needed",
            r -> r.clearContext()),
        bad(
            invalid,
            "context_of has 3 bytes; 8 are needed (int32 for each of 2 candidates)",
            r -> r.setContextOf(ByteString.copyFromUtf8("abc"))),
        bad(invalid, "context_of[1] is 1; 0 to 0 are allowed", r -> r.setContextOf(ints(0, 1))),
        bad(invalid, "context_of[0] is -1; 0 to 0 are allowed", r -> r.setContextOf(ints(-1, 0))),
        bad(
            invalid,
            "context_of is empty, but there are 2 contexts; 8 bytes (int32 a candidate) are needed",
            r -> r.setContext(r.getContext().toBuilder().setRows(2))),
        candidates("candidates.rows is 0; 1 to 100 are allowed", b -> b.setRows(0)),
        candidates("candidates.rows is -5; 1 to 100 are allowed", b -> b.setRows(-5)),
        candidates("candidates.rows is 101; 1 to 100 are allowed", b -> b.setRows(101)),
        candidates(
            "candidates.counts has 12 bytes; 8 are needed (2 int32 values)",
            b -> b.setCounts(ints(2, 1, 0))),
        candidates(
            "candidates: feature 'tags', row 1: -1 values; 0 to 4096 are allowed",
            b -> b.setCounts(ints(2, -1))),
        candidates(
            "candidates: feature 'tags', row 0: 4097 values; 0 to 4096 are allowed",
            b -> b.setCounts(ints(4097, 1))),
        candidates(
            "candidates.string_lengths has 12 bytes; 16 are needed (4 int32 values)",
            b -> b.setCounts(ints(2, 2))),
        candidates(
            "candidates.ids has 15 bytes; 16 are needed (2 int64 values)",
            b -> b.setIds(cut(b.getIds()))),
        candidates(
            "candidates.string_lengths: value 1 is 1025; 0 to 1024 are allowed",
            b -> b.setStringLengths(ints(3, 1025, 3))),
        candidates(
            "candidates.strings has 10 bytes; string_lengths add up to 11",
            b -> b.setStringLengths(ints(3, 5, 3))),
        candidates(
            "candidates.numbers has 15 bytes; 16 are needed (2 float64 values)",
            b -> b.setNumbers(cut(b.getNumbers()))),
        candidates(
            "candidates: feature 'price', row 1: NaN; a finite number is needed",
            b -> b.setNumbers(doubles(1, Double.NaN))),
        candidates(
            "candidates.weights has 8 bytes; 12 are needed (3 float32 values)",
            b -> b.setWeights(floats(1, 1))),
        candidates(
            "candidates: feature 'tags', row 0: weight -1.0; 0 to 1e9 are allowed",
            b -> b.setWeights(floats(1, -1, 1))),
        candidates(
            "candidates: feature 'tags', row 1: weight 1.0E20; 0 to 1e9 are allowed",
            b -> b.setWeights(floats(1, 1, 1e20f))),
        candidates(
            "candidates: feature 'tags', row 0: weight NaN; 0 to 1e9 are allowed",
            b -> b.setWeights(floats(Float.NaN, 1, 1))),
        candidates(
            "candidates: feature 'tags', row 0: a string of 4 bytes that is malformed at byte 1"
                + " (0xff); UTF-8 is needed",
            b -> b.setStrings(latin("redb\u00ffuered"))),
        candidates(
            "candidates: feature 'tags', row 1: a string of 3 bytes that is malformed at byte 2"
                + " (0xc3); UTF-8 is needed",
            b -> b.setStrings(latin("redbluere\u00c3"))),
        candidates(
            "candidates: feature 'picture', row 1: -3.0E38; the model gives no finite result with"
                + " it (candidate 1, task 'click'), send numbers of the size that it was trained"
                + " with",
            b -> b.setDense(floats(1, 2, -3e38f, -1e38f))),
        candidates(
            "candidates.dense has 12 bytes; 16 are needed (4 float32 values)",
            b -> b.setDense(floats(1, 2, 3))),
        candidates(
            "candidates: feature 'picture', row 0: NaN; a finite number is needed",
            b -> b.setDense(floats(1, Float.NaN, 3, 4))),
        candidates(
            "candidates: feature 'picture', row 1: Infinity; a finite number is needed",
            b -> b.setDense(floats(1, 2, 3, Float.POSITIVE_INFINITY))),
        candidates(
            "candidates.present has 3 bytes; 1 are needed (4 bits), or none",
            b -> b.setPresent(ByteString.copyFromUtf8("abc"))),
        candidates(
            "candidates.present has a bit set after its 4 bits; unused bits must be 0",
            b -> b.setPresent(ByteString.copyFrom(new byte[] {0x1F}))),
        context("context.rows is 11; 1 to 10 are allowed", b -> b.setRows(11)),
        context(
            "context.rows is 3; 1 to 2 are allowed (no more than candidates)", b -> b.setRows(3)),
        context("context.ids has 0 bytes; 8 are needed (1 int64 values)", b -> b.clearIds()),
        context(
            "context.strings has 3 bytes; string_lengths add up to 0",
            b -> b.setStrings(ByteString.copyFromUtf8("abc"))));
  }

  @ParameterizedTest
  @MethodSource("badRequests")
  void predict_oneThingWrong_saysWhich(Code code, String message, Change change) {
    PredictRequest request = change.apply(good.toBuilder()).build();

    StatusRuntimeException refusal =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                RankingServiceGrpc.newBlockingStub(served.channel())
                    .withDeadlineAfter(20, TimeUnit.SECONDS)
                    .predict(request));

    assertThat(refusal.getStatus().getCode()).isEqualTo(code);
    assertThat(refusal.getStatus().getDescription()).isEqualTo(message);
  }

  @Test
  void predict_goodRequest_isAnswered() {
    assertThat(
            RankingServiceGrpc.newBlockingStub(served.channel())
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .predict(good)
                .getScores()
                .size())
        .isEqualTo(16);
  }

  @Test
  void predict_messageTooLarge_isResourceExhausted() {
    PredictRequest request =
        good.toBuilder()
            .setCandidates(
                good.getCandidates().toBuilder().setStrings(ByteString.copyFrom(new byte[9 << 20])))
            .build();

    StatusRuntimeException refusal =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> RankingServiceGrpc.newBlockingStub(served.channel()).predict(request));

    assertThat(refusal.getStatus().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void getModel_unknownName_namesThoseThereAre() {
    StatusRuntimeException refusal =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                StatusServiceGrpc.newBlockingStub(served.channel())
                    .getModel(GetModelRequest.newBuilder().setName("other").build()));

    assertThat(refusal.getStatus().getCode()).isEqualTo(Code.NOT_FOUND);
    assertThat(refusal.getStatus().getDescription())
        .isEqualTo("name is 'other'; this server has [empty, tiny, twin]");
  }

  @Test
  void report_anyFeedback_isRefusedWithASentence() throws Exception {
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    FeedbackServiceGrpc.newStub(served.channel())
        .report(
            new StreamObserver<FeedbackAcknowledgement>() {
              @Override
              public void onNext(FeedbackAcknowledgement value) {}

              @Override
              public void onError(Throwable cause) {
                failure.complete(cause);
              }

              @Override
              public void onCompleted() {
                failure.complete(new AssertionError("completed"));
              }
            })
        .onCompleted();

    assertThat(failure.get(20, TimeUnit.SECONDS))
        .hasMessage(
            "UNIMPLEMENTED: no model learns on this server, so that it takes no feedback:"
                + " wukong.online.model names the one that does");
  }
}
