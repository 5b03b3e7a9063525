package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.testing.Identity;
import dev.wukong.serving.testing.Served;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.ssl.SslBundles;

/** What ports show, ask for and speak over TLS, also after their files have changed. */
class TlsReloadTest {
  /** Trusts everybody: what is shown is looked at. */
  private static final class Everybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  @TempDir private Path folder = Path.of("");

  @SuppressWarnings("NullAway.Init") // Before each test.
  private Identity first;

  @SuppressWarnings("NullAway.Init") // Before each test.
  private Identity second;

  @BeforeEach
  void make() throws Exception {
    first = Identity.of(folder, "first");
    second = Identity.of(folder, "second");
    place(first, "tls");
    place(first, "callers");
  }

  /** Under the names that the service reads. */
  private void place(Identity identity, String as) throws IOException {
    Path next = folder.resolve("next");
    Files.copy(identity.certificate(), next, StandardCopyOption.REPLACE_EXISTING);
    Files.move(next, folder.resolve(as + ".crt"), StandardCopyOption.ATOMIC_MOVE);
    Files.copy(identity.key(), next, StandardCopyOption.REPLACE_EXISTING);
    Files.move(next, folder.resolve(as + ".key"), StandardCopyOption.ATOMIC_MOVE);
  }

  private Served start(String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "spring.ssl.bundle.watch.file.quiet-period=20ms",
                "spring.ssl.bundle.pem.own.reload-on-update=true",
                "spring.ssl.bundle.pem.own.keystore.certificate=" + folder.resolve("tls.crt"),
                "spring.ssl.bundle.pem.own.keystore.private-key=" + folder.resolve("tls.key")));
    settings.addAll(List.of(more));
    return Served.start(folder.resolve("bundles"), settings.toArray(String[]::new));
  }

  private static SSLSocket connect(int port, Identity... shown) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        shown.length == 0 ? null : shown[0].shown().getKeyManagers(),
        new TrustManager[] {new Everybody()},
        null);
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"h2"});
    socket.setSSLParameters(parameters);
    return socket;
  }

  private static Certificate shown(int port) throws Exception {
    try (SSLSocket socket = connect(port)) {
      socket.startHandshake();
      return socket.getSession().getPeerCertificates()[0];
    }
  }

  @ParameterizedTest
  @CsvSource({
    "wukong.tls.ssl-bundle, grpc",
    "spring.grpc.server.ssl.bundle, grpc",
    "wukong.admin.ssl-bundle, admin",
    "server.ssl.bundle, rest",
  })
  void port_filesOfItsBundleChange_showsTheNewCertificate(String setting, String door)
      throws Exception {
    try (Served served = start(setting + "=own")) {
      int port =
          switch (door) {
            case "grpc" -> served.grpcPort();
            case "admin" -> served.adminPort();
            default -> served.httpPort();
          };
      assertThat(shown(port)).isEqualTo(first.keys().getCertificate("tls"));

      place(second, "tls");

      Certificate expected = second.keys().getCertificate("tls");
      // REST follows files by itself, and may see the one of the two that comes first.
      Served.await(
          "the new certificate is shown",
          () -> {
            try {
              return shown(port).equals(expected);
            } catch (SSLException e) {
              assertThat(door).isEqualTo("rest");
              return false;
            }
          });
    }
  }

  /**
   * Whether the server takes who shows {@code caller}: with TLS 1.3 it says so after a handshake.
   */
  private static boolean takes(int port, Identity... caller) throws Exception {
    try (SSLSocket socket = connect(port, caller)) {
      socket.startHandshake();
      // The server speaks first in HTTP/2: its settings.
      return socket.getInputStream().read() >= 0;
    } catch (SSLException | SocketException e) {
      return false;
    }
  }

  @Test
  void port_whomItTrustsChanges_takesTheNewCallerAndNotTheOld() throws Exception {
    try (Served served =
        start(
            "wukong.tls.ssl-bundle=own",
            "spring.ssl.bundle.pem.own.truststore.certificate=" + folder.resolve("callers.crt"))) {
      int port = served.grpcPort();
      assertThat(takes(port, first)).isTrue();
      assertThat(takes(port, second)).isFalse();
      assertThat(takes(port)).isFalse();

      place(second, "callers");

      Served.await("the new caller is taken", () -> takes(port, second));
      assertThat(takes(port, first)).isFalse();
    }
  }

  /**
   * Java shows none where it has none of those who are trusted: a stranger is like who has none.
   */
  @ParameterizedTest
  @CsvSource({"need, false, false", "want, true, true", "none, true, true"})
  void callers_withoutACertificateOrWithAnother_areTakenAsIsSet(
      String asked, boolean without, boolean stranger) throws Exception {
    try (Served served =
        start(
            "wukong.tls.ssl-bundle=own",
            "wukong.tls.client-auth=" + asked,
            "spring.ssl.bundle.pem.own.truststore.certificate=" + folder.resolve("callers.crt"))) {
      assertThat(takes(served.grpcPort())).isEqualTo(without);
      assertThat(takes(served.grpcPort(), second)).isEqualTo(stranger);
      assertThat(takes(served.grpcPort(), first)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"wukong.tls.ssl-bundle", "wukong.admin.ssl-bundle"})
  void port_oldProtocolsAndCiphersThatDoNotAuthenticate_areRefused(String setting)
      throws Exception {
    try (Served served = start(setting + "=own")) {
      int port = setting.contains("admin") ? served.adminPort() : served.grpcPort();
      assertThat(speaks(port, "TLSv1.3", "TLS_AES_128_GCM_SHA256")).isTrue();
      assertThat(speaks(port, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")).isTrue();
      assertThat(speaks(port, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")).isFalse();
      assertThat(speaks(port, "TLSv1.1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA")).isFalse();
    }
  }

  private static boolean speaks(int port, String protocol, String cipher) throws Exception {
    try (SSLSocket socket = connect(port)) {
      socket.setEnabledProtocols(new String[] {protocol});
      socket.setEnabledCipherSuites(new String[] {cipher});
      socket.startHandshake();
      return true;
    } catch (SSLException e) {
      return false;
    }
  }

  @Test
  void port_keyOfAnotherCertificate_showsWhatWasBeforeUntilBothAreThere() throws Exception {
    try (Served served = start("wukong.tls.ssl-bundle=own")) {
      int port = served.grpcPort();
      SslBundles bundles = served.bean(SslBundles.class);
      AtomicInteger changes = new AtomicInteger();
      bundles.addBundleUpdateHandler("own", _ -> changes.incrementAndGet());
      Files.copy(
          second.certificate(), folder.resolve("tls.crt"), StandardCopyOption.REPLACE_EXISTING);
      Served.await("the change is seen", () -> changes.get() > 0);

      assertThat(shown(port)).isEqualTo(first.keys().getCertificate("tls"));

      place(second, "tls");
      Certificate expected = second.keys().getCertificate("tls");
      Served.await("the new certificate is shown", () -> shown(port).equals(expected));
    }
  }

  @Test
  void clientAuth_nobodyIsTrusted_doesNotStart() {
    assertThatThrownBy(
            () -> start("wukong.tls.ssl-bundle=own", "wukong.tls.client-auth=need").close())
        .hasStackTraceContaining(
            "wukong.tls.client-auth is need, and SSL bundle 'own' does not say whose certificates:"
                + " set spring.ssl.bundle.pem.own.truststore.certificate");
    assertThatThrownBy(() -> start("wukong.tls.client-auth=want").close())
        .hasStackTraceContaining(
            "wukong.tls.ssl-bundle is empty, allowed is an SSL bundle where wukong.tls.client-auth"
                + " asks for certificates");
  }
}
