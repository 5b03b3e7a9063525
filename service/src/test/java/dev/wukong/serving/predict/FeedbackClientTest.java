package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.protobuf.ByteString;
import dev.wukong.client.FeedbackClient;
import dev.wukong.proto.v1.FeedbackAcknowledgement;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.FeedbackServiceGrpc;
import dev.wukong.proto.v1.Refusal;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client beside a server that answers as a test says. */
@Timeout(60)
class FeedbackClientTest {
  private static final ByteString PREDICTION = ByteString.copyFromUtf8("0123456789abcdef");
  private static final Instant NOW = Instant.ofEpochMilli(1_700_000_000_000L);
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** What comes of an event of a stream. */
  private interface Answer {
    void to(FeedbackEvent event, StreamObserver<FeedbackAcknowledgement> acknowledgements);
  }

  private final List<List<Long>> streams = new CopyOnWriteArrayList<>();
  private volatile Answer answer = FeedbackClientTest::accept;
  private Server server;
  private final ManagedChannel channel =
      InProcessChannelBuilder.forName("feedback-client").directExecutor().build();

  @BeforeEach
  void start() throws IOException {
    server =
        InProcessServerBuilder.forName("feedback-client")
            .addService(
                new FeedbackServiceGrpc.FeedbackServiceImplBase() {
                  @Override
                  public StreamObserver<FeedbackEvent> report(
                      StreamObserver<FeedbackAcknowledgement> acknowledgements) {
                    List<Long> seen = new CopyOnWriteArrayList<>();
                    streams.add(seen);
                    return new Events(seen, acknowledgements);
                  }
                })
            .build()
            .start();
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  private final class Events implements StreamObserver<FeedbackEvent> {
    private final List<Long> seen;
    private final StreamObserver<FeedbackAcknowledgement> acknowledgements;

    Events(List<Long> seen, StreamObserver<FeedbackAcknowledgement> acknowledgements) {
      this.seen = seen;
      this.acknowledgements = acknowledgements;
    }

    @Override
    public void onNext(FeedbackEvent event) {
      seen.add(event.getSequence());
      answer.to(event, acknowledgements);
    }

    @Override
    public void onError(Throwable cause) {}

    @Override
    public void onCompleted() {
      acknowledgements.onCompleted();
    }
  }

  private static void accept(
      FeedbackEvent event, StreamObserver<FeedbackAcknowledgement> acknowledgements) {
    acknowledgements.onNext(
        FeedbackAcknowledgement.newBuilder().setDurableSequence(event.getSequence()).build());
  }

  private static void refuse(
      FeedbackEvent event, StreamObserver<FeedbackAcknowledgement> acknowledgements) {
    acknowledgements.onNext(
        FeedbackAcknowledgement.newBuilder()
            .setDurableSequence(event.getSequence())
            .addRefusals(
                Refusal.newBuilder()
                    .setSequence(event.getSequence())
                    .setReason(Refusal.Reason.REASON_INVALID))
            .build());
  }

  private FeedbackClient client(Consumer<Refusal> refusals) {
    return FeedbackClient.over(channel, refusals);
  }

  private static long click(FeedbackClient client) {
    return client.labelled(PREDICTION, 0, "click", 1, NOW);
  }

  @Test
  void refusal_isToldBeforeThoseWhoWaitGoOn() {
    answer = FeedbackClientTest::refuse;
    List<FeedbackClient> self = new ArrayList<>();
    List<Long> whenTold = new CopyOnWriteArrayList<>();
    try (FeedbackClient client = client(of -> whenTold.add(self.getFirst().durable()))) {
      self.add(client);
      client.awaitDurable(click(client), PATIENCE);
      assertThat(whenTold).containsExactly(0L);
      client.awaitDurable(click(client), PATIENCE);
      assertThat(whenTold).containsExactly(0L, 1L);
    }
  }

  @Test
  void refusal_whoIsToldFails_isAcknowledgedAllTheSame() {
    answer = FeedbackClientTest::refuse;
    try (FeedbackClient client =
        client(
            of -> {
              throw new IllegalArgumentException("a defect of the caller");
            })) {
      long first = click(client);
      client.awaitDurable(first, PATIENCE);
      answer = FeedbackClientTest::accept;
      client.awaitDurable(click(client), PATIENCE);
    }
    // The stream broke with the caller; what was acknowledged is not sent on the next one.
    assertThat(streams).hasSize(2);
    assertThat(streams.getLast()).containsExactly(2L);
  }

  @Test
  void stream_breaks_whatIsNotAcknowledgedIsSentAgainInItsOrder() {
    answer =
        (event, acknowledgements) -> {
          if (event.getSequence() == 1) {
            accept(event, acknowledgements);
          } else if (event.getSequence() == 4) {
            answer = FeedbackClientTest::accept;
            acknowledgements.onError(Status.UNAVAILABLE.asRuntimeException());
          }
        };
    try (FeedbackClient client = client(of -> {})) {
      for (int i = 0; i < 4; i++) {
        long _ = click(client);
      }
      client.awaitDurable(4, PATIENCE);
      assertThat(client.durable()).isEqualTo(4);
    }
    assertThat(streams).containsExactly(List.of(1L, 2L, 3L, 4L), List.of(2L, 3L, 4L));
  }

  @Test
  void awaitDurable_nothingIsAcknowledged_saysWhyTheStreamBroke() {
    answer =
        (event, acknowledgements) -> {
          answer = (next, nothing) -> {};
          acknowledgements.onError(
              Status.RESOURCE_EXHAUSTED.withDescription("full").asRuntimeException());
        };
    FeedbackClient client = client(of -> {});
    try (client) {
      long number = click(client);
      while (streams.size() < 2) { // Until it knows that the first one broke.
        Throwable _ = catchThrowable(() -> client.awaitDurable(number, Duration.ofMillis(100)));
      }
      assertThatThrownBy(() -> client.awaitDurable(number, Duration.ofMillis(1)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("event 1 is not acknowledged, but 0")
          .hasRootCauseMessage("RESOURCE_EXHAUSTED: full");
    }
    assertThatThrownBy(() -> click(client)).hasMessage("the client is closed");
  }
}
