package dev.wukong.serving.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * A certificate of its own authority for this machine, and its key. Any thread.
 *
 * @param keys has both
 * @param certificate the same as a PEM file
 * @param key the same as a PEM file
 */
public record Identity(KeyStore keys, Path certificate, Path key) {
  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final String ALIAS = "tls";

  /** Makes one whose files are in {@code folder}. */
  public static Identity of(Path folder, String name) throws Exception {
    return of(folder, name, "dns:localhost,ip:127.0.0.1");
  }

  /** The same with other names than this machine's, such as {@code uri:spiffe://shop/caller}. */
  public static Identity of(Path folder, String name, String names) throws Exception {
    Path file = folder.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                ALIAS,
                "-keyalg",
                "EC",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=" + names,
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keys.load(in, PASSWORD);
    }
    return new Identity(
        keys,
        pem(folder.resolve(name + ".crt"), "CERTIFICATE", keys.getCertificate(ALIAS).getEncoded()),
        pem(
            folder.resolve(name + ".key"),
            "PRIVATE KEY",
            keys.getKey(ALIAS, PASSWORD).getEncoded()));
  }

  private static Path pem(Path file, String kind, byte[] bytes) throws IOException {
    String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
    return Files.writeString(
        file, "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(kind, lines, kind));
  }

  /** Shows this one. */
  public KeyManagerFactory shown() {
    try {
      KeyManagerFactory factory =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(keys, PASSWORD);
      return factory;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Trusts this one alone. */
  public TrustManagerFactory trusted() {
    try {
      Certificate own = keys.getCertificate(ALIAS);
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      store.setCertificateEntry(ALIAS, own);
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      return factory;
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Connections that trust this one alone, and show nothing. */
  public SSLContext trusting() {
    return context(null);
  }

  /** Connections that trust this one alone, and show {@code own}. */
  public SSLContext trustingAs(Identity own) {
    return context(own.shown());
  }

  private SSLContext context(@Nullable KeyManagerFactory shown) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          shown == null ? null : shown.getKeyManagers(), trusted().getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
