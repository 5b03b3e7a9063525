package dev.wukong.study;

import dev.wukong.bench.Checkout;
import dev.wukong.bench.Machine;
import dev.wukong.runtime.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What made a study's figures.
 *
 * @param machine in words, without names of hosts
 * @param version of the program; empty where it is not known
 * @param commit empty unless it runs in a checkout of its sources
 */
record Program(String machine, String version, String commit) {
  /** The machine, and {@code device} where that is not its processor. */
  String machine(Device device) {
    return switch (device) {
      case Device.Cpu() -> machine;
      case Device.Cuda cuda -> machine + ", " + cuda;
    };
  }

  static Program here() {
    Path folder = Path.of(".");
    return new Program(
        Machine.describe(),
        Optional.ofNullable(Program.class.getPackage().getImplementationVersion()).orElse(""),
        Files.exists(folder.resolve("model-export/pom.xml")) ? commit(folder) : "");
  }

  private static String commit(Path folder) {
    Checkout sources = Checkout.of(folder);
    return sources
        .commit()
        .map(head -> sources.changed() ? head + " with changes" : head)
        .orElse("");
  }
}
