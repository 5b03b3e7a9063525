package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.bundle.SigningKey;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** A service that wants signatures. */
@ExtendWith(OutputCaptureExtension.class)
class TrustedBundlesTest {
  @TempDir private Path folder = Path.of("");
  private Path bundles = Path.of("");
  private String id = "";

  @BeforeEach
  void write() throws Exception {
    bundles = folder.resolve("bundles");
    new TinyModel(1).write(bundles, "tiny", 1);
    id = SigningKey.make(folder, "release");
    SigningKey.make(folder, "other");
  }

  private String trusted() {
    return "wukong.bundles.trusted-keys=" + folder.resolve("release.pub");
  }

  private void sign(String key, int version) throws Exception {
    SigningKey.read(folder.resolve(key + ".key")).sign(bundles.resolve("tiny/" + version));
  }

  @Test
  void version_withoutASignature_servesOnceItHasOne(CapturedOutput output) throws Exception {
    try (Served served = Served.start(bundles, trusted())) {
      Served.await(
          "it is refused",
          () -> output.getAll().contains("manifest.sig is missing: the bundle is not signed, and"));
      assertThat(
              served
                  .bean(ModelHost.class)
                  .model("tiny")
                  .map(ServedModel::servingVersion)
                  .orElse(0L))
          .isZero();

      sign("release", 1);

      served.awaitServing("tiny", 1);
      new TinyModel(2).write(bundles, "tiny", 2);
      sign("other", 2);
      Served.await("it is refused", () -> output.getAll().contains("manifest.sig is of key '"));
      assertThat(served.bean(ModelHost.class).model("tiny").orElseThrow().servingVersion())
          .isEqualTo(1);
    }
    assertThat(output.getAll().lines().filter(line -> line.contains("wukong.audit")))
        .singleElement()
        .asString()
        .matches(
            ".*model 'tiny' version 1 serves: manifest sha256 [0-9a-f]{64}, signed by key " + id);
  }

  @Test
  void settings_keysThatCannotBe_sayWhy() throws Exception {
    Path none = Files.writeString(folder.resolve("none"), "nothing");
    assertThatThrownBy(() -> Served.start(bundles, "wukong.bundles.trusted-keys=" + none).close())
        .hasStackTraceContaining(
            "wukong.bundles.trusted-keys are [%s]: key file '%s' holds no Ed25519 key"
                .formatted(none, none));
    assertThatThrownBy(
            () ->
                Served.start(
                        bundles,
                        trusted(),
                        "wukong.online.signing-key=" + folder.resolve("other.key"))
                    .close())
        .hasStackTraceContaining(
            ("wukong.online.signing-key is '%s', allowed is a key whose public one is among"
                    + " wukong.bundles.trusted-keys, or exports are not used")
                .formatted(folder.resolve("other.key")));
  }
}
