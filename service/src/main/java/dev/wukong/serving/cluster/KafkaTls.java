package dev.wukong.serving.cluster;

import java.security.KeyStore;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts connections to brokers by what a supplier gives at the time, so that certificates are
 * renewed without a restart. Kafka makes one of these for each client.
 */
public final class KafkaTls implements SslEngineFactory {
  /** Under which the supplier is among what a client is told. */
  private static final String CONTEXT = "wukong.ssl.context";

  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

  private @Nullable Supplier<SSLContext> context;

  /** Kafka's own way to make one; {@link #configure} comes first. */
  public KafkaTls() {}

  /** What has a client encrypt with {@code context}, and check that brokers are who they say. */
  static Map<String, Object> properties(Supplier<SSLContext> context) {
    return Map.of(
        CommonClientConfigs.SECURITY_PROTOCOL_CONFIG,
        "SSL",
        SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG,
        KafkaTls.class,
        CONTEXT,
        context);
  }

  @Override
  public void configure(Map<String, ?> configs) {
    if (!(configs.get(CONTEXT) instanceof Supplier<?> given)) {
      throw new IllegalArgumentException("a client of Kafka was given no SSL bundle");
    }
    context = () -> (SSLContext) given.get();
  }

  @Override
  public SSLEngine createClientSslEngine(String host, int port, String identification) {
    if (context == null) {
      throw new IllegalStateException("it was not configured");
    }
    SSLEngine engine = context.get().createSSLEngine(host, port);
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(PROTOCOLS);
    // Empty where somebody has chosen not to compare names.
    parameters.setEndpointIdentificationAlgorithm(identification);
    engine.setSSLParameters(parameters);
    return engine;
  }

  @Override
  public SSLEngine createServerSslEngine(String host, int port) {
    throw new UnsupportedOperationException("this is no broker");
  }

  /** Never: each connection takes what is there then. */
  @Override
  public boolean shouldBeRebuilt(Map<String, Object> next) {
    return false;
  }

  @Override
  public Set<String> reconfigurableConfigs() {
    return Set.of();
  }

  @Override
  public @Nullable KeyStore keystore() {
    return null;
  }

  @Override
  public @Nullable KeyStore truststore() {
    return null;
  }

  @Override
  public void close() {}
}
