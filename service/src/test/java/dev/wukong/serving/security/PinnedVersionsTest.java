package dev.wukong.serving.security;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtException;
import com.google.protobuf.RuntimeVersion;
import io.grpc.ManagedChannel;
import io.netty.util.Version;
import java.lang.module.ModuleDescriptor;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Libraries are no older than those in which known holes were closed. */
class PinnedVersionsTest {
  private static void assertAtLeast(String least, String version) {
    assertThat(ModuleDescriptor.Version.parse(version.replace(".Final", "")))
        .isGreaterThanOrEqualTo(ModuleDescriptor.Version.parse(least));
  }

  /** Streams that a peer has the server reset do not count as its resets before. */
  @Test
  void grpcAndNetty_countResetsOfBothKinds() {
    assertAtLeast(
        "4.1.124",
        Objects.requireNonNull(Version.identify().get("netty-codec-http2")).artifactVersion());
    String grpc =
        ManagedChannel.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    assertAtLeast("1.75.0", grpc.replaceAll(".*/grpc-api-([0-9.]+)[.]jar$", "$1"));
  }

  /** Nested groups exhaust the stack before. */
  @Test
  void protobuf_boundsNesting() {
    assertAtLeast(
        "4.28.2",
        "%d.%d.%d"
            .formatted(
                RuntimeVersion.OSS_MAJOR, RuntimeVersion.OSS_MINOR, RuntimeVersion.OSS_PATCH));
  }

  /** External data of a graph can lie anywhere before. */
  @Test
  void onnxRuntime_keepsExternalDataInItsFolder() {
    String runtime =
        OrtException.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    assertAtLeast("1.29.0", runtime.replaceAll(".*/onnxruntime(_gpu)?-([0-9.]+)[.]jar$", "$2"));
  }
}
