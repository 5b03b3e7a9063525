package dev.wukong.bundle;

import dev.wukong.data.FileProblem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Files in PEM that hold a key for Ed25519, as OpenSSL writes them. */
final class KeyFile {
  static final String ALGORITHM = "Ed25519";
  private static final int LARGEST = 64 << 10;

  private KeyFile() {}

  /**
   * The public key in {@code file}.
   *
   * @throws BundleException where it holds none
   */
  static PublicKey readPublic(Path file) throws BundleException {
    byte[] bytes = read(file, "PUBLIC KEY");
    try {
      return KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(bytes));
    } catch (GeneralSecurityException e) {
      throw none(file, "PUBLIC KEY", e);
    }
  }

  /**
   * The private key in {@code file}.
   *
   * @throws BundleException where it holds none; nothing of the key is in the message
   */
  static PrivateKey readPrivate(Path file) throws BundleException {
    byte[] bytes = read(file, "PRIVATE KEY");
    try {
      return KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(bytes));
    } catch (GeneralSecurityException e) {
      throw none(file, "PRIVATE KEY", e);
    }
  }

  /** As PEM. */
  static String pem(String kind, byte[] bytes) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(kind, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes), kind);
  }

  private static byte[] read(Path file, String kind) throws BundleException {
    String text;
    try {
      if (Files.size(file) > LARGEST) {
        throw none(file, kind, null);
      }
      text = Files.readString(file, StandardCharsets.US_ASCII);
    } catch (BundleException e) {
      throw e;
    } catch (IOException e) {
      throw new BundleException(
          "key file '%s' cannot be read: %s".formatted(file, FileProblem.describe(e)), e);
    }
    Matcher body =
        Pattern.compile(
                "-----BEGIN " + kind + "-----([A-Za-z0-9+/=\\s]+)-----END " + kind + "-----")
            .matcher(text);
    if (!body.find()) {
      throw none(file, kind, null);
    }
    return Base64.getMimeDecoder().decode(body.group(1));
  }

  private static BundleException none(Path file, String kind, @Nullable Exception cause) {
    String message =
        "key file '%s' holds no Ed25519 key between the lines BEGIN %s and END %s"
            .formatted(file, kind, kind);
    return cause == null ? new BundleException(message) : new BundleException(message, cause);
  }
}
