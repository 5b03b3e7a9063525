package dev.wukong.serving.security;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Shows the certificate that was taken last. A handshake asks for an alias, then for its key, then
 * for its certificates: aliases carry the number of what they were chosen from, so that one that is
 * under way at a change gets key and certificates of one kind. Any thread.
 */
final class CurrentKeys extends X509ExtendedKeyManager {
  /**
   * What was taken, and before it.
   *
   * @param before null for the first; it has none before itself
   */
  private record Taken(long number, X509ExtendedKeyManager keys, @Nullable Taken before) {
    String name(String alias) {
      return number + "." + alias;
    }
  }

  private volatile Taken now;

  CurrentKeys(KeyManager[] first) {
    now = new Taken(0, extended(first), null);
  }

  /**
   * From now on these are shown; false, and nothing changes, where keys are of other certificates.
   */
  synchronized boolean take(KeyManager[] next) {
    X509ExtendedKeyManager keys = extended(next);
    if (!KeyMatch.of(keys)) {
      return false;
    }
    Taken before = new Taken(now.number(), now.keys(), null);
    now = new Taken(before.number() + 1, keys, before);
    return true;
  }

  private static X509ExtendedKeyManager extended(KeyManager[] managers) {
    for (KeyManager manager : managers) {
      if (manager instanceof X509ExtendedKeyManager extended) {
        return extended;
      }
    }
    throw new IllegalArgumentException("the SSL bundle has no keys for TLS");
  }

  private @Nullable String choose(Function<X509ExtendedKeyManager, @Nullable String> by) {
    Taken from = now;
    String alias = by.apply(from.keys());
    return alias == null ? null : from.name(alias);
  }

  private String @Nullable [] all(Function<X509ExtendedKeyManager, String @Nullable []> by) {
    Taken from = now;
    String[] aliases = by.apply(from.keys());
    if (aliases == null) {
      return null;
    }
    String[] names = new String[aliases.length];
    for (int i = 0; i < names.length; i++) {
      names[i] = from.name(aliases[i]);
    }
    return names;
  }

  private <T> @Nullable T find(String name, Of<T> what) {
    int dot = name.indexOf('.');
    for (Taken from = now; from != null && dot > 0; from = from.before()) {
      if (name.substring(0, dot).equals(Long.toString(from.number()))) {
        return what.of(from.keys(), name.substring(dot + 1));
      }
    }
    return null;
  }

  /** Something that keys have by an alias. */
  @FunctionalInterface
  private interface Of<T> {
    @Nullable T of(X509ExtendedKeyManager keys, String alias);
  }

  @Override
  public String @Nullable [] getClientAliases(String type, Principal @Nullable [] issuers) {
    return all(keys -> keys.getClientAliases(type, issuers));
  }

  @Override
  public @Nullable String chooseClientAlias(
      String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return choose(keys -> keys.chooseClientAlias(types, issuers, socket));
  }

  @Override
  public @Nullable String chooseEngineClientAlias(
      String[] types, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
    return choose(keys -> keys.chooseEngineClientAlias(types, issuers, engine));
  }

  @Override
  public String @Nullable [] getServerAliases(String type, Principal @Nullable [] issuers) {
    return all(keys -> keys.getServerAliases(type, issuers));
  }

  @Override
  public @Nullable String chooseServerAlias(
      String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return choose(keys -> keys.chooseServerAlias(type, issuers, socket));
  }

  @Override
  public @Nullable String chooseEngineServerAlias(
      String type, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
    return choose(keys -> keys.chooseEngineServerAlias(type, issuers, engine));
  }

  @Override
  public X509Certificate @Nullable [] getCertificateChain(String name) {
    return find(name, X509ExtendedKeyManager::getCertificateChain);
  }

  @Override
  public @Nullable PrivateKey getPrivateKey(String name) {
    return find(name, X509ExtendedKeyManager::getPrivateKey);
  }
}
