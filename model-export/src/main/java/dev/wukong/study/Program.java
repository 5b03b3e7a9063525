package dev.wukong.study;

import dev.wukong.bench.Machine;
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
  static Program here() {
    Path folder = Path.of(".");
    return new Program(
        Machine.describe(),
        Optional.ofNullable(Program.class.getPackage().getImplementationVersion()).orElse(""),
        Files.exists(folder.resolve("model-export/pom.xml"))
            ? Machine.output(folder, "git", "rev-parse", "HEAD").orElse("")
            : "");
  }
}
