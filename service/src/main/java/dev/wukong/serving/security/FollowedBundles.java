package dev.wukong.serving.security;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundleRegistry;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.ssl.SslManagerBundle;

/**
 * SSL bundles whose managers follow their files: whoever has taken them once, such as a server that
 * is running, shows and trusts on new connections what the files hold now. Any thread.
 */
public final class FollowedBundles implements SslBundles, SslBundleRegistry {
  private static final Logger log = LoggerFactory.getLogger(FollowedBundles.class);

  private final SslBundles bundles;
  private final SslBundleRegistry registry;
  private final Map<String, SslBundle> followed = new ConcurrentHashMap<>();

  private FollowedBundles(SslBundles bundles, SslBundleRegistry registry) {
    this.bundles = bundles;
    this.registry = registry;
  }

  /** Those of {@code registry}, which says when one has changed. */
  public static <T extends SslBundles & SslBundleRegistry> FollowedBundles of(T registry) {
    return new FollowedBundles(registry, registry);
  }

  @Override
  public SslBundle getBundle(String name) {
    return followed.computeIfAbsent(name, this::follow);
  }

  private SslBundle follow(String name) {
    SslBundle first = bundles.getBundle(name);
    CurrentKeys keys = new CurrentKeys(first.getManagers().getKeyManagers());
    CurrentTrust trust = new CurrentTrust(first.getManagers().getTrustManagers());
    bundles.addBundleUpdateHandler(
        name,
        changed -> {
          trust.take(changed.getManagers().getTrustManagers());
          if (keys.take(changed.getManagers().getKeyManagers())) {
            log.info(
                "SSL bundle '{}' has changed: new connections are made with what it has", name);
          } else {
            log.warn(
                "SSL bundle '{}' has a key now that is not its certificate's: what was before is"
                    + " shown until both are replaced",
                name);
          }
        });
    return SslBundle.of(
        first.getStores(),
        first.getKey(),
        first.getOptions(),
        first.getProtocol(),
        SslManagerBundle.of(FixedManagers.keys(keys), FixedManagers.trust(trust)));
  }

  @Override
  public void addBundleUpdateHandler(String name, Consumer<SslBundle> handler) {
    bundles.addBundleUpdateHandler(name, handler);
  }

  @Override
  public void addBundleRegisterHandler(BiConsumer<String, SslBundle> handler) {
    bundles.addBundleRegisterHandler(handler);
  }

  @Override
  public List<String> getBundleNames() {
    return bundles.getBundleNames();
  }

  @Override
  public void registerBundle(String name, SslBundle bundle) {
    registry.registerBundle(name, bundle);
  }

  @Override
  public void updateBundle(String name, SslBundle bundle) {
    registry.updateBundle(name, bundle);
  }
}
