package dev.wukong.serving;

import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.BundleTrust;
import dev.wukong.bundle.SigningKey;
import dev.wukong.bundle.TrustedKeys;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The settings under {@code wukong.bundles}.
 *
 * @param trustedKeys files of public keys; with one, bundles must be signed with one of them
 */
public record BundlesProperties(@DefaultValue List<String> trustedKeys) {
  /**
   * Whose bundles are used, and with which key exports are signed.
   *
   * @param signingKey a file; empty: with none
   */
  BundleTrust trust(String signingKey) {
    TrustedKeys trusted;
    try {
      trusted = TrustedKeys.read(trustedKeys.stream().map(Path::of).toList());
    } catch (BundleException e) {
      throw new SettingException(
          "wukong.bundles.trusted-keys are %s: %s".formatted(trustedKeys, e.getMessage()), e);
    }
    if (signingKey.isEmpty()) {
      return new BundleTrust(trusted, Optional.empty());
    }
    BundleTrust trust;
    try {
      trust = new BundleTrust(trusted, Optional.of(SigningKey.read(Path.of(signingKey))));
    } catch (BundleException e) {
      throw new SettingException(
          "wukong.online.signing-key is '%s': %s".formatted(signingKey, e.getMessage()), e);
    }
    SettingException.require(
        trust.ownAreUsed(),
        "wukong.online.signing-key",
        "'%s'".formatted(signingKey),
        "is a key whose public one is among wukong.bundles.trusted-keys, or exports are not used");
    return trust;
  }
}
