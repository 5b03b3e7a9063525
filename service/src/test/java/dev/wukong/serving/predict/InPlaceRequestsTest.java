package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.predict.InPlaceRequests.Received;
import io.grpc.KnownLength;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class InPlaceRequestsTest {
  private final InPlaceRequests requests =
      new InPlaceRequests(RankingServiceGrpc.getPredictMethod().getRequestMarshaller());

  /** A message as gRPC hands it over: its length is known. */
  private static final class Message extends ByteArrayInputStream implements KnownLength {
    Message(byte[] bytes) {
      super(bytes);
    }
  }

  private static PredictRequest request(SplittableRandom random) {
    byte[] ids = new byte[random.nextInt(1, 20_000)];
    random.nextBytes(ids);
    return PredictRequest.newBuilder()
        .setSchemaId("s" + random.nextInt())
        .setCandidates(
            Block.newBuilder().setRows(random.nextInt(100)).setIds(ByteString.copyFrom(ids)))
        .build();
  }

  private Received read(PredictRequest request) {
    return (Received) requests.parse(new Message(request.toByteArray()));
  }

  @Test
  void parse_requestsAtOnceAndAfterOneAnother_areTheirOwn() {
    SplittableRandom random = new SplittableRandom(1);
    List<PredictRequest> sent = new ArrayList<>();
    List<Received> open = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      PredictRequest request = request(random);
      sent.add(request);
      open.add(read(request));
      if (open.size() > 5 || random.nextBoolean()) {
        int at = random.nextInt(open.size());
        try (Received received = open.remove(at)) {
          assertThat(received.request()).isEqualTo(sent.remove(at));
        }
      }
    }
    for (int i = 0; i < open.size(); i++) {
      assertThat(open.get(i).request()).isEqualTo(sent.get(i));
    }
  }

  @Test
  void close_twice_givesTheMemoryBackOnce() {
    SplittableRandom random = new SplittableRandom(2);
    Received first = read(request(random));
    first.close();
    first.close();
    PredictRequest one = request(random);
    PredictRequest other = request(random);
    try (Received received = read(one);
        Received another = read(other)) {
      assertThat(received.request()).isEqualTo(one);
      assertThat(another.request()).isEqualTo(other);
    }
  }

  @Test
  void parse_notAMessage_isRefusedAsTheMarshallerOfGrpcDoes() {
    assertThatThrownBy(() -> requests.parse(new Message(new byte[] {10, 100, 1})))
        .isInstanceOf(StatusRuntimeException.class)
        .hasCauseInstanceOf(InvalidProtocolBufferException.class);
  }

  @Test
  void parse_lengthUnknown_isReadAllTheSame() {
    PredictRequest request = request(new SplittableRandom(3));
    assertThat(requests.parse(new ByteArrayInputStream(request.toByteArray()))).isEqualTo(request);
  }
}
