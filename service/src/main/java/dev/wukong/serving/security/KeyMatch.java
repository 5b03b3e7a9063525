package dev.wukong.serving.security;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.X509ExtendedKeyManager;

/**
 * Whether keys belong to their certificates: of two files that are renewed one after the other one
 * may be read too soon.
 */
final class KeyMatch {
  private static final byte[] PROBE = {1, 2, 3};

  private KeyMatch() {}

  /** Whether each certificate of {@code keys} has its key. */
  static boolean of(X509ExtendedKeyManager keys) {
    for (String type : List.of("EC", "RSA", "EdDSA")) {
      String[] aliases = keys.getServerAliases(type, null);
      for (String alias : aliases == null ? new String[0] : aliases) {
        X509Certificate[] chain = keys.getCertificateChain(alias);
        PrivateKey key = keys.getPrivateKey(alias);
        if (chain != null && key != null && !pair(type, key, chain[0].getPublicKey())) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean pair(String type, PrivateKey key, PublicKey of) {
    String algorithm =
        switch (type) {
          case "EC" -> "SHA256withECDSA";
          case "RSA" -> "SHA256withRSA";
          default -> "EdDSA";
        };
    try {
      Signature signs = Signature.getInstance(algorithm);
      signs.initSign(key);
      signs.update(PROBE);
      byte[] signature = signs.sign();
      Signature verifies = Signature.getInstance(algorithm);
      verifies.initVerify(of);
      verifies.update(PROBE);
      return verifies.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
