package dev.wukong.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Says what a machine lacks where a GPU of it cannot be used. */
final class MissingCuda {
  private static final Pattern LIBRARY =
      Pattern.compile("(lib[\\w.+-]+\\.so[.\\d]*): cannot open shared object file");
  private static final Pattern MEMORY =
      Pattern.compile("out of memory|CUDA failure 2\\b|Failed to allocate memory");
  private static final Pattern OLD_DRIVER =
      Pattern.compile("CUDA failure 35\\b|driver version is insufficient");
  private static final Pattern NUMBER = Pattern.compile("Invalid device ID|CUDA failure 101\\b");

  /** What NVIDIA's driver says of itself on Linux. */
  private static final Path DRIVER = Path.of("/proc/driver/nvidia");

  /**
   * What is known of a machine without any library of NVIDIA's.
   *
   * @param driver the driver's version; empty where none is loaded
   * @param gpus how many GPUs it has
   */
  record Machine(Optional<String> driver, int gpus) {
    /** Read from {@code folder}, the driver's below {@code /proc}. */
    static Machine of(Path folder) {
      try {
        String version = Files.readString(folder.resolve("version"));
        Matcher number =
            Pattern.compile("Module\\s+(?:for \\S+\\s+)?(\\d+[.\\d]*)").matcher(version);
        try (Stream<Path> gpus = Files.list(folder.resolve("gpus"))) {
          return new Machine(
              Optional.of(number.find() ? number.group(1) : "of unknown version"),
              (int) gpus.count());
        }
      } catch (IOException e) {
        return new Machine(Optional.empty(), 0);
      }
    }
  }

  private MissingCuda() {}

  /** This machine. */
  static Machine machine() {
    return Machine.of(DRIVER);
  }

  /**
   * The message of a {@link DeviceException}: what is missing, then the library's own reason.
   *
   * @param reason what CUDA or ONNX Runtime said
   */
  static String of(Device.Cuda device, String reason, Machine machine) {
    return "device '%s' cannot be used: %s (%s)"
        .formatted(device, missing(device, reason, machine), reason.strip());
  }

  private static String missing(Device.Cuda device, String reason, Machine machine) {
    Matcher library = LIBRARY.matcher(reason);
    if (library.find()) {
      String name = library.group(1);
      return name.startsWith("libcuda.so")
          ? "there is no NVIDIA driver on this machine (its library libcuda.so.1 is missing)"
          : "the library %s is missing; install %s, or name its folder in LD_LIBRARY_PATH"
              .formatted(name, name.startsWith("libcudnn") ? "cuDNN 9" : "the CUDA runtime");
    }
    if (MEMORY.matcher(reason).find()) {
      return "too little memory is free on it; end what else uses it, or lower"
          + " wukong.engine.cuda.memory and wukong.engine.cuda.streams";
    }
    if (machine.driver().isEmpty()) {
      return "no NVIDIA driver is loaded on this machine";
    }
    if (OLD_DRIVER.matcher(reason).find()) {
      return "the NVIDIA driver %s is older than the CUDA libraries need"
          .formatted(machine.driver().get());
    }
    if (NUMBER.matcher(reason).find() || device.index() >= machine.gpus()) {
      return machine.gpus() == 0
          ? "the NVIDIA driver %s sees no GPU".formatted(machine.driver().get())
          : "this machine has %d GPU%s, allowed is cuda:0%s"
              .formatted(
                  machine.gpus(),
                  machine.gpus() == 1 ? "" : "s",
                  machine.gpus() == 1 ? "" : " to cuda:" + (machine.gpus() - 1));
    }
    return "the CUDA provider does not start with the NVIDIA driver %s"
        .formatted(machine.driver().get());
  }
}
