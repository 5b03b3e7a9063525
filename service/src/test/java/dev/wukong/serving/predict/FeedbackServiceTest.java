package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.wukong.data.EncodedRows;
import dev.wukong.proto.v1.Exposure;
import dev.wukong.proto.v1.FeedbackAcknowledgement;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.FeedbackServiceGrpc;
import dev.wukong.proto.v1.Label;
import dev.wukong.proto.v1.Refusal;
import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.events.HeapEventLog;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.QueueRoom;
import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.events.ScoredVersion;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class FeedbackServiceTest {
  private static final long NOW = 1_700_000_000_000L;
  private static final PredictionId ID = new PredictionId((NOW - 1000) << 16, 7);
  private static final int CANDIDATES = 3;

  private final EventLog log = new HeapEventLog();
  private EventWriter writer = writer();
  private Server server = start();
  private final ManagedChannel channel = InProcessChannelBuilder.forName("feedback").build();

  private EventWriter writer() {
    return new EventWriter(
        log,
        new EventRetention(Duration.ofDays(1), Long.MAX_VALUE, () -> 0, () -> NOW),
        new QueueRoom(100, 1 << 20),
        () -> NOW,
        new SimpleMeterRegistry());
  }

  private Server start() {
    try {
      return InProcessServerBuilder.forName("feedback")
          .addService(
              FeedbackService.of(writer, () -> List.of("click"), Duration.ofHours(1), 2, () -> NOW))
          .build()
          .start();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @BeforeEach
  void score() {
    EncodedRows rows =
        new EncodedRows(CANDIDATES, new long[CANDIDATES], new float[0], new float[0]);
    ScoredRequest request =
        new ScoredRequest(
            ID,
            new ScoredVersion(1, 0, 0, 0),
            1,
            new EncodedRows(0, new long[0], new float[0], new float[0]),
            rows,
            new int[0],
            1,
            new float[CANDIDATES]);
    assertThat(writer.offer(EncodedEvent.of("ctr", new Event.Scored(request)))).isTrue();
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.shutdownNow();
    writer.close();
    log.close();
  }

  /** What a stream with these events brought. */
  private record Told(List<FeedbackAcknowledgement> acknowledgements, Status status) {
    long durable() {
      return acknowledgements.isEmpty() ? 0 : acknowledgements.getLast().getDurableSequence();
    }

    List<Refusal> refusals() {
      return acknowledgements.stream().flatMap(a -> a.getRefusalsList().stream()).toList();
    }
  }

  private Told report(FeedbackEvent.Builder... events) throws Exception {
    List<FeedbackAcknowledgement> acknowledgements = new ArrayList<>();
    CompletableFuture<Status> end = new CompletableFuture<>();
    StreamObserver<FeedbackEvent> stream =
        FeedbackServiceGrpc.newStub(channel)
            .report(
                new StreamObserver<>() {
                  @Override
                  public void onNext(FeedbackAcknowledgement value) {
                    acknowledgements.add(value);
                  }

                  @Override
                  public void onError(Throwable cause) {
                    end.complete(Status.fromThrowable(cause));
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(Status.OK);
                  }
                });
    for (FeedbackEvent.Builder event : events) {
      stream.onNext(event.build());
    }
    stream.onCompleted();
    Status status = end.get(1, TimeUnit.MINUTES);
    return new Told(acknowledgements, status);
  }

  private static FeedbackEvent.Builder event(long sequence) {
    ByteBuffer id = ByteBuffer.allocate(PredictionId.BYTES).putLong(ID.high()).putLong(ID.low());
    return FeedbackEvent.newBuilder()
        .setSequence(sequence)
        .setPredictionId(ByteString.copyFrom(id.flip()));
  }

  private static ByteString positions(int... positions) {
    ByteBuffer bytes =
        ByteBuffer.allocate(positions.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(positions);
    return ByteString.copyFrom(bytes);
  }

  private static FeedbackEvent.Builder exposure(long sequence, int... positions) {
    return event(sequence)
        .setExposure(Exposure.newBuilder().setPositions(positions(positions)).setEventTimeMs(NOW));
  }

  private static FeedbackEvent.Builder label(long sequence, Consumer<Label.Builder> change) {
    Label.Builder label =
        Label.newBuilder().setPosition(1).setTask("click").setValue(1).setEventTimeMs(NOW);
    change.accept(label);
    return event(sequence).setLabel(label);
  }

  @Test
  void report_exposureAndLabel_areDurableInTheirOrder() throws Exception {
    Told told = report(exposure(1, 0, 1), label(5, l -> l.setWeight(2)), label(6, _ -> {}));

    assertThat(told.status().isOk()).isTrue();
    assertThat(told.durable()).isEqualTo(6);
    assertThat(told.refusals()).isEmpty();
    List<Logged> events = log.read(0, 100);
    assertThat(events).hasSize(4);
    assertThat(events.get(1).event())
        .isInstanceOfSatisfying(
            Event.Exposed.class, e -> assertThat(e.positions()).containsExactly(0, 1));
    assertThat(events.get(2).event()).isEqualTo(new Event.Labelled(0, 1, "click", 1, 2, NOW));
    assertThat(events.get(3).event()).isEqualTo(new Event.Labelled(0, 1, "click", 1, 1, NOW));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          position | -1 | field 'label.position' is -1, allowed are 0 and more
          position | 3 | 3
          value | 1.5 | field 'label.value' is 1.5, allowed are 0 to 1
          value | NaN | field 'label.value' is NaN, allowed are 0 to 1
          weight | -1 | field 'label.weight' is -1.0, allowed are 0 to 10000
          weight | 10001 | field 'label.weight' is 10001.0, allowed are 0 to 10000
          weight | Infinity | field 'label.weight' is Infinity, allowed are 0 to 10000
          time | 0 | field 'label.event_time_ms' is 0, allowed are milliseconds since 1970-01-01 UTC
          time | 1700000900000 | field 'label.event_time_ms' is 1700000900000, allowed are
          """)
  void report_labelThatCannotBe_isRefusedByFieldAndTheOthersAreNot(
      String field, String value, String message) throws Exception {
    Told told =
        report(
            exposure(1, 1),
            label(
                2,
                l -> {
                  switch (field) {
                    case "position" -> l.setPosition(Integer.parseInt(value));
                    case "value" -> l.setValue(Float.parseFloat(value));
                    case "weight" -> l.setWeight(Float.parseFloat(value));
                    default -> l.setEventTimeMs(Long.parseLong(value));
                  }
                }),
            label(3, _ -> {}));

    assertThat(told.status().isOk()).isTrue();
    assertThat(told.durable()).isEqualTo(3);
    assertThat(told.refusals())
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.getSequence()).isEqualTo(2);
              assertThat(refusal.getReason()).isEqualTo(Refusal.Reason.REASON_INVALID);
              assertThat(refusal.getMessage()).contains(message);
            });
    assertThat(log.end()).isEqualTo(3);
  }

  @Test
  void report_taskThatIsNone_namesThoseThatAre() throws Exception {
    assertThat(report(label(1, l -> l.setTask("clicks"))).refusals())
        .extracting(Refusal::getMessage)
        .containsExactly("field 'label.task' is 'clicks', the model's tasks are [click]");
  }

  @Test
  void report_exposuresThatCannotBe_areRefusedByField() throws Exception {
    Told told =
        report(
            exposure(1),
            exposure(2, 0, 1, 2),
            exposure(3, -1),
            exposure(4, 1, 1),
            exposure(5, 3),
            event(6));

    assertThat(told.durable()).isEqualTo(6);
    assertThat(told.refusals()).hasSize(6);
    assertThat(told.refusals())
        .extracting(Refusal::getMessage)
        .contains(
            "field 'exposure.positions' has 0 bytes, want 4 for each position, and at least one",
            "field 'exposure.positions' has 3 positions, allowed are 2",
            "field 'exposure.positions' has -1, allowed are 0 and more",
            "field 'exposure.positions' has a position twice, want distinct ones",
            "field 'event' is absent, want 'exposure' or 'label'");
  }

  @Test
  void report_predictionThatIsNone_isRefused() throws Exception {
    ByteString short15 = ByteString.copyFrom(new byte[15]);
    ByteString unknown =
        ByteString.copyFrom(ByteBuffer.allocate(16).putLong(NOW << 16).putLong(1).flip());
    ByteString old =
        ByteString.copyFrom(
            ByteBuffer.allocate(16).putLong((NOW - 7_200_000) << 16).putLong(1).flip());

    Told told =
        report(
            exposure(1, 1).setPredictionId(short15),
            exposure(2, 1).setPredictionId(unknown),
            exposure(3, 1).setPredictionId(old));

    assertThat(told.refusals())
        .extracting(Refusal::getReason)
        .containsExactly(
            Refusal.Reason.REASON_INVALID,
            Refusal.Reason.REASON_UNKNOWN_PREDICTION,
            Refusal.Reason.REASON_TOO_LATE);
  }

  @Test
  void report_sequenceThatDoesNotGrow_endsTheStream() throws Exception {
    Told told = report(exposure(2, 1), exposure(2, 0));

    assertThat(told.status().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(told.status().getDescription())
        .isEqualTo("field 'sequence' is 2, want more than 2, that of the event before");
  }

  @Test
  void report_logThatTakesNoMore_isUnavailableAndNothingIsAcknowledged() throws Exception {
    writer.close();

    Told told = report(exposure(1, 1));

    assertThat(told.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(told.durable()).isZero();
  }
}
