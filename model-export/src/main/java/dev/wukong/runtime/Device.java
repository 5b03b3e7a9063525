package dev.wukong.runtime;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where graphs run, written {@code cpu} or {@code cuda:<number>}. */
public sealed interface Device {
  /** The machine's processors. */
  record Cpu() implements Device {
    @Override
    public String toString() {
      return "cpu";
    }
  }

  /**
   * An NVIDIA GPU.
   *
   * @param index as CUDA numbers them, from 0
   */
  record Cuda(int index) implements Device {
    @Override
    public String toString() {
      return "cuda:" + index;
    }
  }

  /**
   * The device that {@code text} names; whether there is one shows when it is used.
   *
   * @throws IllegalArgumentException if it is neither {@code cpu} nor {@code cuda:<number>}
   */
  static Device parse(String text) {
    if (text.equals("cpu")) {
      return new Cpu();
    }
    Matcher cuda = Pattern.compile("cuda:([0-9]{1,2})").matcher(text);
    if (cuda.matches()) {
      return new Cuda(Integer.parseInt(cuda.group(1)));
    }
    throw new IllegalArgumentException("device is '" + text + "', want cpu or cuda:0, cuda:1, ...");
  }

  /**
   * The devices that {@code text} names with commas between: {@code cpu}, or GPUs, each once.
   *
   * @throws IllegalArgumentException if it is anything else
   */
  static List<Device> parseAll(String text) {
    List<Device> devices = Arrays.stream(text.split(",", -1)).map(Device::parse).toList();
    if (devices.size() > 1
        && (devices.contains(new Cpu()) || Set.copyOf(devices).size() < devices.size())) {
      throw new IllegalArgumentException(
          "devices are '%s', want cpu alone, or GPUs such as cuda:0,cuda:1, each once"
              .formatted(text));
    }
    return devices;
  }
}
