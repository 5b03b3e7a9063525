package dev.wukong.bundle;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The public keys whose signatures make a bundle one to be used. Any thread. */
public final class TrustedKeys {
  /** No key: signatures are not looked at. */
  public static final TrustedKeys ANYBODY = new TrustedKeys(Map.of());

  private static final int ID_DIGITS = 16;

  private final Map<String, PublicKey> keys;

  private TrustedKeys(Map<String, PublicKey> keys) {
    this.keys = Map.copyOf(keys);
  }

  /**
   * Those in {@code files}, one each (PEM); none where there are no files.
   *
   * @throws BundleException where a file holds none
   */
  public static TrustedKeys read(List<Path> files) throws BundleException {
    Map<String, PublicKey> keys = new TreeMap<>();
    for (Path file : files) {
      PublicKey key = KeyFile.readPublic(file);
      keys.put(id(key), key);
    }
    return keys.isEmpty() ? ANYBODY : new TrustedKeys(keys);
  }

  /** Whether bundles must be signed. */
  public boolean demanded() {
    return !keys.isEmpty();
  }

  /** Whether what the key with this id signs is used. */
  public boolean has(String id) {
    return keys.containsKey(id);
  }

  /** The id of a key: the beginning of its hash. */
  static String id(PublicKey key) {
    return Sha256.of(key.getEncoded()).substring(0, ID_DIGITS);
  }

  /**
   * Checks a manifest before anything in it is believed.
   *
   * @return the id of the key; empty where none is demanded
   * @throws BundleException where one is, and the signature is not there, of another key or wrong
   */
  String check(byte[] manifest, Optional<ManifestSignature> signature) throws BundleException {
    if (!demanded()) {
      return "";
    }
    if (signature.isEmpty()) {
      throw new BundleException(
          "%s is missing: the bundle is not signed, and signatures of %s are wanted"
              .formatted(ManifestSignature.FILE, new TreeMap<>(keys).keySet()));
    }
    ManifestSignature given = signature.get();
    PublicKey key = keys.get(given.key());
    if (key == null) {
      throw new BundleException(
          "%s is of key '%s', trusted are %s"
              .formatted(ManifestSignature.FILE, given.key(), new TreeMap<>(keys).keySet()));
    }
    if (!verifies(key, manifest, given.signature())) {
      throw new BundleException(
          "%s is not the signature of this %s by key '%s': one of them was changed"
              .formatted(ManifestSignature.FILE, Manifest.FILE, given.key()));
    }
    return given.key();
  }

  static boolean verifies(PublicKey key, byte[] bytes, byte[] signature) {
    try {
      Signature verifier = Signature.getInstance(KeyFile.ALGORITHM);
      verifier.initVerify(key);
      verifier.update(bytes);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      return false; // Not even of its form.
    }
  }
}
