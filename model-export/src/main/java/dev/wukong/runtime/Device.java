package dev.wukong.runtime;

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
}
