package dev.wukong.bundle;

import java.util.Optional;

/**
 * Whose bundles are used, and with which key own ones are signed.
 *
 * @param trusted whose are
 * @param signer empty: own ones are not signed
 */
public record BundleTrust(TrustedKeys trusted, Optional<SigningKey> signer) {
  /** Everybody's are, and own ones are not signed. */
  public static final BundleTrust ANYBODY = new BundleTrust(TrustedKeys.ANYBODY, Optional.empty());

  /** Whether what is written here would be used here. */
  public boolean ownAreUsed() {
    return !trusted.demanded() || signer.filter(key -> trusted.has(key.id())).isPresent();
  }
}
