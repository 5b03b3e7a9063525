package dev.wukong.bundle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;

/** A private key for Ed25519 with which manifests are signed, and its public one. Any thread. */
public final class SigningKey {
  private final PrivateKey key;
  private final String id;

  private SigningKey(PrivateKey key, String id) {
    this.key = key;
    this.id = id;
  }

  /**
   * Reads the pair in {@code file} (PEM, PKCS 8) and the public key beside it.
   *
   * @param file such as {@code release.key}; the public key is in {@code release.pub}
   * @throws BundleException where one is missing, or they are not of each other
   */
  public static SigningKey read(Path file) throws BundleException {
    PrivateKey own = KeyFile.readPrivate(file);
    Path beside = publicBeside(file);
    PublicKey known = KeyFile.readPublic(beside);
    SigningKey key = new SigningKey(own, TrustedKeys.id(known));
    byte[] probe = "probe".getBytes(StandardCharsets.US_ASCII);
    if (!TrustedKeys.verifies(known, probe, key.signature(probe))) {
      throw new BundleException(
          "key file '%s' is not the private key of '%s'".formatted(file, beside));
    }
    return key;
  }

  private static Path publicBeside(Path file) {
    String name = String.valueOf(file.getFileName());
    int dot = name.lastIndexOf('.');
    return file.resolveSibling((dot > 0 ? name.substring(0, dot) : name) + ".pub");
  }

  /**
   * Makes a pair: {@code <name>.key}, which its owner alone may read, and {@code <name>.pub}.
   *
   * @return the id of the key
   * @throws IOException where a file is there already or cannot be written
   */
  public static String make(Path folder, String name) throws IOException {
    KeyPair pair;
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(KeyFile.ALGORITHM);
      pair = generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has it", e);
    }
    Files.createDirectories(folder);
    Path secret = folder.resolve(name + ".key");
    Path open = folder.resolve(name + ".pub");
    for (Path file : new Path[] {secret, open}) {
      if (Files.exists(file)) {
        throw new BundleException("'%s' is there already".formatted(file));
      }
    }
    try {
      Files.createFile(
          secret,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } catch (UnsupportedOperationException e) {
      Files.createFile(secret); // No such rights here.
    }
    Files.writeString(secret, KeyFile.pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
    Files.writeString(
        open,
        KeyFile.pem("PUBLIC KEY", pair.getPublic().getEncoded()),
        StandardOpenOption.CREATE_NEW);
    return TrustedKeys.id(pair.getPublic());
  }

  /** The id of its public key. */
  public String id() {
    return id;
  }

  /**
   * Signs a version that is written already; what was signed before is signed anew.
   *
   * @param folder of the version
   * @throws BundleException where it is no whole bundle
   */
  public void sign(Path folder) throws IOException {
    byte[] manifest;
    try (Bundle whole = Bundle.open(folder)) {
      manifest = Files.readAllBytes(whole.folder().resolve(Manifest.FILE));
      if (!Sha256.of(manifest).equals(whole.manifestSha256())) {
        throw new BundleException("bundle %s was changed while it was read".formatted(folder));
      }
    }
    Path next = folder.resolveSibling(BundleNames.TEMPORARY + folder.getFileName() + ".sig");
    Files.write(next, of(manifest).encode());
    Files.move(
        next,
        folder.resolve(ManifestSignature.FILE),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    Disk.sync(folder);
  }

  /** The signature of a manifest. */
  ManifestSignature of(byte[] manifest) {
    return new ManifestSignature(id, signature(manifest));
  }

  private byte[] signature(byte[] bytes) {
    try {
      Signature signature = Signature.getInstance(KeyFile.ALGORITHM);
      signature.initSign(key);
      signature.update(bytes);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a key that was read signs", e);
    }
  }
}
