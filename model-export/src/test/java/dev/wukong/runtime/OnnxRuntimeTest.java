package dev.wukong.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OrtSession.SessionOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxRuntimeTest {
  /** What the child process does. */
  public static final class Child {
    private Child() {}

    /** Runs in a process of its own. */
    public static void main(String[] args) {
      SessionOptions options = OnnxRuntime.options(new Device.Cpu(), 1, false);
      options.close();
      System.out.println("started " + OnnxRuntime.version());
    }
  }

  /** On a command line above 4 KB, ONNX Runtime with telemetry ends in a segmentation fault. */
  @Test
  void start_longCommandLineWithoutTheSwitch_survives() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "--enable-native-access=ALL-UNNAMED",
            "-Dwukong.filler=" + "x".repeat(12_000),
            Child.class.getName());
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    builder.environment().remove("ORT_DISABLE_TELEMETRY");
    Process process = builder.redirectErrorStream(true).start();
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(said).contains("started " + OnnxRuntime.version());
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void options_deviceThatIsNotThere_namesIt() {
    // No machine has a hundred GPUs, so this is refused by either build of the library.
    assertThatThrownBy(() -> OnnxRuntime.options(new Device.Cuda(99), 1, false))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("device 'cuda:99': ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "cuda:0", "cuda:12"})
  void parse_device_isWrittenAsRead(String text) {
    assertThat(Device.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "CPU", "cuda", "cuda:", "cuda:-1", "cuda:100", " cpu"})
  void parse_otherText_saysWhatIsAllowed(String text) {
    assertThatThrownBy(() -> Device.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("device is '%s', want cpu or cuda:0, cuda:1, ...".formatted(text));
  }
}
