package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.client.RankingClient;
import dev.wukong.serving.testing.Identity;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both ports over TLS, by the frameworks' own properties, as the README says. */
class TlsTest {
  private static final Duration DEADLINE = Duration.ofMinutes(1);

  @TempDir private Path folder = Path.of("");

  private static HttpClient https(Identity trusted) {
    return HttpClient.newBuilder().sslContext(trusted.trusting()).build();
  }

  private Served start(Identity identity, String... more) throws Exception {
    Path root = folder.resolve("bundles");
    new TinyModel(1).write(root, "tiny", 1);
    List<String> settings =
        new ArrayList<>(
            List.of(
                "spring.ssl.bundle.pem.own.keystore.certificate=" + identity.certificate(),
                "spring.ssl.bundle.pem.own.keystore.private-key=" + identity.key(),
                "spring.grpc.server.ssl.bundle=own",
                "server.ssl.bundle=own"));
    settings.addAll(List.of(more));
    return Served.start(root, settings.toArray(String[]::new));
  }

  private static void assertRefused(String target, ChannelCredentials credentials) {
    assertThatThrownBy(() -> RankingClient.connect(target, "tiny", DEADLINE, credentials))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageStartingWith("UNAVAILABLE");
  }

  private static void assertServed(String target, ChannelCredentials credentials) {
    try (RankingClient client = RankingClient.connect(target, "tiny", DEADLINE, credentials)) {
      assertThat(client.tasks()).isNotEmpty();
    }
  }

  @Test
  void bothPorts_withACertificate_answerWhoTrustsItAndNobodyInPlainText() throws Exception {
    Identity server = Identity.of(folder, "server");
    try (Served served = start(server);
        HttpClient https = https(server)) {
      Served.await("the model serves", () -> serves(https, served));
      String target = "localhost:" + served.grpcPort();
      assertServed(
          target,
          TlsChannelCredentials.newBuilder().trustManager(server.certificate().toFile()).build());
      assertRefused(target, InsecureChannelCredentials.create());
      assertRefused(target, TlsChannelCredentials.create());
    }
  }

  @Test
  void grpc_thatAsksForCertificates_answersWhoHasOne() throws Exception {
    Identity server = Identity.of(folder, "server");
    Identity caller = Identity.of(folder, "caller");
    Identity stranger = Identity.of(folder, "stranger");
    try (Served served =
            start(
                server,
                "spring.ssl.bundle.pem.own.truststore.certificate=" + caller.certificate(),
                "spring.grpc.server.ssl.client-auth=require");
        HttpClient https = https(server)) {
      Served.await("the model serves", () -> serves(https, served));
      String target = "localhost:" + served.grpcPort();
      TlsChannelCredentials.Builder trusting =
          TlsChannelCredentials.newBuilder().trustManager(server.certificate().toFile());
      assertRefused(target, trusting.build());
      assertRefused(
          target,
          trusting.keyManager(stranger.certificate().toFile(), stranger.key().toFile()).build());
      assertServed(
          target,
          trusting.keyManager(caller.certificate().toFile(), caller.key().toFile()).build());
    }
  }

  private static boolean serves(HttpClient https, Served served) throws Exception {
    URI models = URI.create("https://localhost:" + served.httpPort() + "/models/tiny");
    return https
        .send(HttpRequest.newBuilder(models).build(), BodyHandlers.ofString())
        .body()
        .contains("SERVING");
  }
}
