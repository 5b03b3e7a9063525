package dev.wukong.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose bundles are used where signatures are wanted. */
class SignedBundleTest {
  @TempDir private Path root = Path.of("");
  private Path bundle = Path.of("");
  private String id = "";

  @BeforeEach
  void write() throws Exception {
    bundle = SampleBundle.write(root.resolve("bundles"));
    id = SigningKey.make(root, "release");
    SigningKey.make(root, "other");
  }

  private SigningKey key(String name) throws BundleException {
    return SigningKey.read(root.resolve(name + ".key"));
  }

  private Bundle open() throws IOException {
    return Bundle.open(bundle, TrustedKeys.read(List.of(root.resolve("release.pub"))));
  }

  private void assertRefused(String why) {
    assertThatThrownBy(() -> open().close())
        .isInstanceOf(BundleException.class)
        .hasMessage("bundle %s: %s", bundle, why);
  }

  @Test
  void open_signedByATrustedKey_saysWhich() throws Exception {
    key("release").sign(bundle);
    try (Bundle signed = open();
        Bundle anyway = Bundle.open(bundle)) {
      assertThat(signed.signedBy()).isEqualTo(id).matches("[0-9a-f]{16}");
      assertThat(signed.manifestSha256())
          .isEqualTo(Sha256.of(Files.readAllBytes(bundle.resolve(Manifest.FILE))));
      assertThat(anyway.signedBy()).isEmpty();
    }
  }

  @Test
  void open_notSigned_isRefused() {
    assertRefused(
        "manifest.sig is missing: the bundle is not signed, and signatures of [%s] are wanted"
            .formatted(id));
  }

  @Test
  void open_signedByAnotherKey_isRefused() throws Exception {
    SigningKey other = key("other");
    other.sign(bundle);
    assertRefused("manifest.sig is of key '%s', trusted are [%s]".formatted(other.id(), id));
  }

  @Test
  void open_signedByAnotherKeyUnderATrustedName_isRefused() throws Exception {
    byte[] manifest = Files.readAllBytes(bundle.resolve(Manifest.FILE));
    byte[] foreign = key("other").of(manifest).signature();
    Files.write(
        bundle.resolve(ManifestSignature.FILE), new ManifestSignature(id, foreign).encode());
    assertChanged();
  }

  @Test
  void open_manifestChangedSince_isRefusedBeforeItIsRead() throws Exception {
    key("release").sign(bundle);
    Files.writeString(bundle.resolve(Manifest.FILE), "no JSON at all");
    assertChanged();
  }

  @Test
  void open_signatureOfAnotherVersion_isRefused() throws Exception {
    key("release").sign(bundle);
    byte[] signature = Files.readAllBytes(bundle.resolve(ManifestSignature.FILE));
    try (Bundle first = Bundle.open(bundle)) {
      bundle = BundleCopy.write(first, root.resolve("bundles"), first.manifest().model());
    }
    Files.write(bundle.resolve(ManifestSignature.FILE), signature);
    assertChanged();
  }

  /** An old version cannot come back under a new number: the number is signed. */
  @Test
  void open_oldVersionUnderANewNumber_isRefused() throws Exception {
    key("release").sign(bundle);
    Path renamed = bundle.resolveSibling("99");
    Files.move(bundle, renamed);
    bundle = renamed;
    assertThatThrownBy(() -> open().close()).hasMessageContaining("version 99");
  }

  private void assertChanged() {
    assertRefused(
        ("manifest.sig is not the signature of this manifest.json by key '%s': one of them was"
                + " changed")
            .formatted(id));
  }

  @Test
  void open_signatureThatIsNone_saysWhatIsWrong() throws Exception {
    key("release").sign(bundle);
    Path file = bundle.resolve(ManifestSignature.FILE);
    String right = Files.readString(file);
    Files.writeString(file, right.replace("Ed25519", "none"));
    assertRefused("manifest.sig: field 'algorithm' is not 'Ed25519', which alone is allowed");
    Files.writeString(file, right.replace(id, "../key"));
    assertRefused("manifest.sig: field 'key' is no id of a key: 16 of 0-9 and a-f");
    Files.writeString(file, right.replaceAll("\"signature\" : \"....", "\"signature\" : \""));
    assertRefused("manifest.sig: field 'signature' has 61 bytes, want 64");
    Files.writeString(file, "{");
    assertThatThrownBy(() -> open().close()).hasMessageContaining("manifest.sig: not valid JSON");
    Files.write(file, new byte[ManifestSignature.MAX_BYTES + 1]);
    assertRefused("manifest.sig has 4097 bytes, at most 4096 are allowed");
    Files.delete(file);
    Files.createSymbolicLink(file, Files.writeString(root.resolve("elsewhere"), right));
    assertRefused("'manifest.sig' is a symbolic link, only ordinary files are allowed");
  }

  @Test
  void make_pair_isForItsOwnerAndNotWrittenOver() throws Exception {
    assertThat(Files.getPosixFilePermissions(root.resolve("release.key")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThatThrownBy(() -> SigningKey.make(root, "release"))
        .hasMessage("'%s' is there already", root.resolve("release.key"));
  }

  @Test
  void read_keysThatAreNone_sayWhich() throws Exception {
    Path secret = root.resolve("release.key");
    Path open = root.resolve("release.pub");
    assertThatThrownBy(() -> TrustedKeys.read(List.of(secret)))
        .hasMessage(
            "key file '%s' holds no Ed25519 key between the lines BEGIN PUBLIC KEY and END PUBLIC"
                + " KEY",
            secret);
    Files.copy(root.resolve("other.pub"), open, StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(() -> SigningKey.read(secret))
        .hasMessage("key file '%s' is not the private key of '%s'", secret, open);
    Files.delete(open);
    assertThatThrownBy(() -> SigningKey.read(secret))
        .hasMessageStartingWith("key file '%s' cannot be read".formatted(open));
    Files.writeString(
        open, "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA\n-----END PUBLIC KEY-----\n");
    assertThatThrownBy(() -> TrustedKeys.read(List.of(open)))
        .hasMessageContaining("holds no Ed25519 key");
  }
}
