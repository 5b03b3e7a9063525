package dev.wukong.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LauncherTest {
  @ParameterizedTest
  @CsvSource({"1.8, 8", "9, 9", "11, 11", "17, 17", "25, 25", "26, 26"})
  void feature_everyVersionScheme_isTheFeatureNumber(String version, int feature) {
    assertThat(Launcher.feature(version)).isEqualTo(feature);
  }

  @Test
  void refusal_oldJava_namesBothVersionsInOneLine() {
    assertThat(Launcher.refusal("17", "/opt/java"))
        .isEqualTo(
            "Java 25 or later is needed, and this is Java 17 (/opt/java): start the jar with a"
                + " newer java.")
        .hasLineCount(1);
  }

  @Test
  void classOfTheJar_everyOne_isReadableByJava8() throws IOException {
    try (var files = Files.walk(Path.of("target/launcher"))) {
      var classes = files.filter(file -> file.toString().endsWith(".class")).toList();
      assertThat(classes).hasSize(1);
      for (Path file : classes) {
        try (var in = new DataInputStream(Files.newInputStream(file))) {
          assertThat(in.readInt()).isEqualTo(0xCAFEBABE);
          in.readUnsignedShort(); // The minor version.
          assertThat(in.readUnsignedShort()).as("class file version of Java 8").isEqualTo(52);
        }
      }
    }
  }
}
