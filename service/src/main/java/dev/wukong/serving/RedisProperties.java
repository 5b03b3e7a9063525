package dev.wukong.serving;

import dev.wukong.serving.embedding.RedisSettings;
import dev.wukong.serving.embedding.RedisTls;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.ssl.SslManagerBundle;

/**
 * The settings under {@code wukong.rows.redis}.
 *
 * @param addresses of some of the cluster's nodes, each {@code host:port}
 * @param prefix of all keys
 * @param user empty: the default user
 * @param password empty: none
 * @param tls whether connections are encrypted; so they are with a bundle, too
 * @param sslBundle of Spring Boot: whom it trusts and what it shows; empty: whom Java trusts
 * @param timeout of a read
 */
public record RedisProperties(
    @DefaultValue List<String> addresses,
    @DefaultValue("wukong") String prefix,
    @DefaultValue("") String user,
    @DefaultValue("") Secret password,
    @DefaultValue("false") boolean tls,
    @DefaultValue("") String sslBundle,
    @DefaultValue("200ms") Duration timeout) {
  /** Fails where the store could not be opened with these. */
  void check() {
    RedisSettings _ = settings(tls ? Optional.of(RedisTls.plain()) : Optional.empty());
  }

  RedisSettings settings(SslBundles bundles) {
    if (sslBundle.isEmpty()) {
      return settings(tls ? Optional.of(RedisTls.plain()) : Optional.empty());
    }
    SslManagerBundle managers = bundles.getBundle(sslBundle).getManagers();
    return settings(
        Optional.of(
            new RedisTls(
                Optional.of(managers.getKeyManagerFactory()),
                Optional.of(managers.getTrustManagerFactory()))));
  }

  private RedisSettings settings(Optional<RedisTls> encryption) {
    try {
      return new RedisSettings(addresses, prefix, user, password.text(), encryption, timeout);
    } catch (IllegalArgumentException e) {
      throw new SettingException("wukong.rows.redis.%s".formatted(e.getMessage()), e);
    }
  }
}
