package dev.wukong.serving;

import io.grpc.TlsServerCredentials;
import java.util.Locale;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The settings under {@code wukong.tls}: encryption of the gRPC port of callers.
 *
 * @param sslBundle of Spring Boot; empty: none
 * @param clientAuth whether callers show a certificate
 */
public record TlsProperties(
    @DefaultValue("") String sslBundle, @DefaultValue("auto") ClientAuth clientAuth) {

  /** Whether callers show a certificate. */
  public enum ClientAuth {
    /** Who has none cannot connect, where the bundle says whom it trusts; else {@link #NONE}. */
    AUTO,
    /** Who has none cannot connect. */
    NEED,
    /** Who has one shows it. */
    WANT,
    /** None is asked for. */
    NONE;

    TlsServerCredentials.ClientAuth asked(boolean trusting) {
      return switch (this) {
        case AUTO ->
            trusting
                ? TlsServerCredentials.ClientAuth.REQUIRE
                : TlsServerCredentials.ClientAuth.NONE;
        case NEED -> TlsServerCredentials.ClientAuth.REQUIRE;
        case WANT -> TlsServerCredentials.ClientAuth.OPTIONAL;
        case NONE -> TlsServerCredentials.ClientAuth.NONE;
      };
    }
  }

  public TlsProperties {
    SettingException.require(
        !sslBundle.isEmpty() || clientAuth == ClientAuth.AUTO || clientAuth == ClientAuth.NONE,
        "wukong.tls.ssl-bundle",
        "empty",
        "is an SSL bundle where wukong.tls.client-auth asks for certificates");
  }

  /** What is asked for with a bundle that says whom it trusts, or does not. */
  TlsServerCredentials.ClientAuth asked(boolean trusting) {
    boolean asks = clientAuth == ClientAuth.NEED || clientAuth == ClientAuth.WANT;
    if (asks && !trusting) {
      // Java's own authorities would be trusted then: whoever has any certificate at all.
      throw new SettingException(
          ("wukong.tls.client-auth is %s, and SSL bundle '%s' does not say whose certificates:"
                  + " set spring.ssl.bundle.pem.%s.truststore.certificate")
              .formatted(clientAuth.name().toLowerCase(Locale.ROOT), sslBundle, sslBundle));
    }
    return clientAuth.asked(trusting);
  }
}
