package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.testing.Served;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections that are too many, too old, too quiet or too busy, by plain sockets. */
class HostileConnectionsTest {
  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] SETTINGS = {0, 0, 0, 4, 0, 0, 0, 0, 0};
  private static final byte[] PING = {0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};

  @TempDir private Path folder = Path.of("");

  private static Socket connect(int port, String from) throws IOException {
    Socket socket =
        new Socket(InetAddress.ofLiteral("127.0.0.1"), port, InetAddress.ofLiteral(from), 0);
    socket.setSoTimeout((int) Duration.ofMinutes(1).toMillis());
    return socket;
  }

  /** Whether the server speaks, as it does first in HTTP/2. */
  private static boolean taken(Socket socket) throws IOException {
    try {
      OutputStream out = socket.getOutputStream();
      out.write(PREFACE);
      out.write(SETTINGS);
      out.flush();
      return socket.getInputStream().read() >= 0;
    } catch (SocketException e) {
      return false; // Reset.
    }
  }

  /** All that the server sends until it closes. */
  private static String untilItCloses(Socket socket) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try {
      socket.getInputStream().transferTo(all);
    } catch (SocketException e) {
      // Reset: what came before is there.
    }
    return all.toString(StandardCharsets.ISO_8859_1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"callers", "admin"})
  void connections_ofAnAddressThatAreTooMany_areClosedAndOthersAreNot(String door)
      throws Exception {
    try (Served served = Served.start(folder, "wukong.limits.connections-per-address=2")) {
      int port = door.equals("admin") ? served.adminPort() : served.grpcPort();
      try (Socket first = connect(port, "127.0.0.1");
          Socket second = connect(port, "127.0.0.1");
          Socket third = connect(port, "127.0.0.1");
          Socket other = connect(port, "127.0.0.2")) {
        assertThat(taken(first)).isTrue();
        assertThat(taken(second)).isTrue();
        assertThat(taken(third)).isFalse();
        assertThat(taken(other)).isTrue();
        first.shutdownOutput();
        Served.await(
            "another is taken",
            () -> {
              try (Socket next = connect(port, "127.0.0.1")) {
                return taken(next);
              }
            });
        MeterRegistry meters = served.bean(MeterRegistry.class);
        assertThat(
                meters
                    .get("wukong.connections.refused")
                    .tag("port", door)
                    .functionCounter()
                    .count())
            .isPositive();
      }
      Served.await(
          "all are gone",
          () ->
              served
                      .bean(MeterRegistry.class)
                      .get("wukong.connections")
                      .tag("port", door)
                      .gauge()
                      .value()
                  == 0);
    }
  }

  @Test
  void connections_inAllThatAreTooMany_areClosed() throws Exception {
    List<Socket> all = new ArrayList<>();
    try (Served served = Served.start(folder, "wukong.limits.connections=3")) {
      for (int i = 1; i <= 4; i++) {
        Socket socket = connect(served.grpcPort(), "127.0.0." + i);
        all.add(socket);
        assertThat(taken(socket)).isEqualTo(i <= 3);
      }
    } finally {
      for (Socket socket : all) {
        socket.close();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "spring.grpc.server.keepalive.connection.max-age=100ms, max_age",
    "spring.grpc.server.keepalive.connection.max-idle-time=100ms, max_idle",
  })
  void connection_thatIsTooOldOrTooQuiet_isToldAndClosed(String setting, String told)
      throws Exception {
    try (Served served =
            Served.start(
                folder, setting, "spring.grpc.server.keepalive.connection.grace-period=100ms");
        Socket socket = connect(served.grpcPort(), "127.0.0.1")) {
      assertThat(taken(socket)).isTrue();
      assertThat(untilItCloses(socket)).contains(told);
    }
  }

  @Test
  void connection_thatPingsAllTheTime_isToldAndClosed() throws Exception {
    try (Served served = Served.start(folder);
        Socket socket = connect(served.grpcPort(), "127.0.0.1")) {
      assertThat(taken(socket)).isTrue();
      try {
        for (int i = 0; i < 10; i++) {
          socket.getOutputStream().write(PING);
        }
      } catch (SocketException e) {
        // Closed before all were sent.
      }
      assertThat(untilItCloses(socket)).contains("too_many_pings");
      assertThat(status(served)).isEqualTo(Code.OK); // Of another connection.
    }
  }

  private static Code status(Served served) {
    try {
      HealthGrpc.newBlockingStub(served.channel()).check(HealthCheckRequest.getDefaultInstance());
      return Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }

  @Test
  void call_withTooMuchMetadata_isRefusedAndOthersAreServed() throws Exception {
    try (Served served = Served.start(folder)) {
      Metadata much = new Metadata();
      much.put(Metadata.Key.of("x-much", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(9 << 10));
      StatusRuntimeException refused =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () ->
                  HealthGrpc.newBlockingStub(served.channel())
                      .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(much))
                      .check(HealthCheckRequest.getDefaultInstance()));
      assertThat(refused).isNotNull(); // Its stream is reset.
      assertThat(status(served)).isEqualTo(Code.OK);
    }
  }

  @Test
  void call_whoseMessageIsTooLarge_isRefusedWhateverItIsPackedInto() throws Exception {
    try (Served served = Served.start(folder, "spring.grpc.server.inbound.message.max-size=10KB")) {
      // A hundred times smaller on the way.
      PredictRequest large = PredictRequest.newBuilder().setRequestId("x".repeat(1 << 20)).build();
      for (String packed : List.of("identity", "gzip")) {
        StatusRuntimeException refused =
            catchThrowableOfType(
                StatusRuntimeException.class,
                () ->
                    RankingServiceGrpc.newBlockingStub(served.channel())
                        .withCompression(packed)
                        .predict(large));
        assertThat(refused.getStatus().getCode()).as(packed).isEqualTo(Code.RESOURCE_EXHAUSTED);
      }
      assertThat(status(served)).isEqualTo(Code.OK);
    }
  }
}
