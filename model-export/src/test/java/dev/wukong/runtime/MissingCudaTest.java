package dev.wukong.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.runtime.MissingCuda.Machine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MissingCudaTest {
  private static final Machine TWO = new Machine(Optional.of("580.65.06"), 2);

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          libcublasLt.so.12: cannot open shared object file: No such file | the library libcublasLt.so.12 is missing; install the CUDA runtime
          libcudnn.so.9: cannot open shared object file | the library libcudnn.so.9 is missing; install cuDNN 9
          libcuda.so.1: cannot open shared object file | there is no NVIDIA driver on this machine
          CUDA failure 2: out of memory | too little memory is free on it
          CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version | the NVIDIA driver 580.65.06 is older than the CUDA libraries need
          Invalid device ID: 3, must be between 0 (inclusive) and 2 | this machine has 2 GPUs, allowed is cuda:0 to cuda:1
          something else | the CUDA provider does not start with the NVIDIA driver 580.65.06
          """)
  void of_reason_namesWhatIsMissing(String reason, String expected) {
    assertThat(MissingCuda.of(new Device.Cuda(1), reason, TWO))
        .startsWith("device 'cuda:1' cannot be used: " + expected)
        .endsWith("(" + reason + ")");
  }

  @Test
  void of_numberBeyondTheGpus_saysWhichThereAre() {
    assertThat(MissingCuda.of(new Device.Cuda(2), "?", new Machine(Optional.of("1"), 1)))
        .contains("this machine has 1 GPU, allowed is cuda:0");
    assertThat(MissingCuda.of(new Device.Cuda(0), "?", new Machine(Optional.of("1"), 0)))
        .contains("the NVIDIA driver 1 sees no GPU");
    assertThat(MissingCuda.of(new Device.Cuda(0), "?", new Machine(Optional.empty(), 0)))
        .contains("no NVIDIA driver is loaded on this machine");
  }

  @Test
  void machine_isReadFromTheDriver(@TempDir Path folder) throws Exception {
    assertThat(Machine.of(folder)).isEqualTo(new Machine(Optional.empty(), 0));
    Files.writeString(
        folder.resolve("version"),
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n");
    Files.createDirectories(folder.resolve("gpus/0000:19:00.0"));
    Files.createDirectories(folder.resolve("gpus/0000:3b:00.0"));
    assertThat(Machine.of(folder)).isEqualTo(TWO);
  }
}
