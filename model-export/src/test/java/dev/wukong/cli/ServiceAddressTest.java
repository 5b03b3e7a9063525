package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.net.ConnectException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;

class ServiceAddressTest {
  private static final String HINT = "--tls or --ca is needed where the port is encrypted";

  private static String described(Status status) {
    return ServiceAddress.parse("there:9090").describe(status.asRuntimeException());
  }

  @Test
  void describe_nobodyListens_saysHowToStartAService() {
    assertThat(described(Status.UNAVAILABLE.withCause(new ConnectException("refused"))))
        .startsWith("no service answers at 'there:9090' (connection refused)");
  }

  @Test
  void describe_brokenHandshake_saysWhyAndNamesTheOptions() {
    assertThat(described(Status.UNAVAILABLE.withCause(new SSLHandshakeException("not trusted"))))
        .startsWith("'there:9090': UNAVAILABLE (not trusted)")
        .contains(HINT);
  }

  @Test
  void describe_plainTextToAnEncryptedPort_namesTheOptions() {
    assertThat(described(Status.UNAVAILABLE.withDescription("Network closed for unknown reason")))
        .contains(HINT);
  }

  @Test
  void describe_whatTheServiceSays_isLeftAsItIs() {
    assertThat(described(Status.UNAVAILABLE.withDescription("the server stops")))
        .isEqualTo("'there:9090': UNAVAILABLE: the server stops");
    assertThat(described(Status.NOT_FOUND.withDescription("no model 'x'")))
        .isEqualTo("'there:9090': NOT_FOUND: no model 'x'");
  }
}
