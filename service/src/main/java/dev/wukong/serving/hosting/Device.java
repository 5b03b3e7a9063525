package dev.wukong.serving.hosting;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where graphs run. */
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
   * @param id as CUDA numbers them, from 0
   */
  record Cuda(int id) implements Device {
    @Override
    public String toString() {
      return "cuda:" + id;
    }
  }

  /**
   * The device that {@code text} names.
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
    throw new IllegalArgumentException(
        "device '%s' is unknown, allowed are 'cpu' and 'cuda:<number>'".formatted(text));
  }
}
