package dev.wukong.serving.embedding;

import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * How connections to a Redis cluster are encrypted. The name or address of each node, as the
 * cluster announces it, must be in that node's certificate.
 *
 * @param keys what this process shows; empty: nothing
 * @param trust whom it trusts; empty: whom Java trusts
 */
public record RedisTls(Optional<KeyManagerFactory> keys, Optional<TrustManagerFactory> trust) {
  /** Shows nothing, trusts whom Java trusts. */
  public static RedisTls plain() {
    return new RedisTls(Optional.empty(), Optional.empty());
  }
}
