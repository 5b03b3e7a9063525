package dev.wukong.runtime;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How ONNX Runtime uses a GPU.
 *
 * @param memoryLimit bytes that one session's arena may take at most; 0: all that is free
 * @param arena how an arena grows
 * @param tf32 whether products of single precision may round their inputs to 11 binary digits:
 *     quicker, but not the numbers that a CPU gives
 */
public record CudaOptions(long memoryLimit, ArenaGrowth arena, boolean tf32) {
  /** How an arena grows when it has too little. */
  public enum ArenaGrowth {
    /** By what is asked for: takes no more than is used. */
    SAME_AS_REQUESTED("kSameAsRequested"),
    /** To the next power of two: fewer, larger takings. */
    NEXT_POWER_OF_TWO("kNextPowerOfTwo");

    private final String key;

    ArenaGrowth(String key) {
      this.key = key;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Exact products, and no more memory than is used. */
  public static final CudaOptions DEFAULT =
      new CudaOptions(0, ArenaGrowth.SAME_AS_REQUESTED, false);

  public CudaOptions {
    if (memoryLimit < 0) {
      throw new IllegalArgumentException(
          "memory limit is %d, allowed is 0 (none) or more".formatted(memoryLimit));
    }
  }

  /** The settings as ONNX Runtime's CUDA provider names them, without the device's number. */
  public Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    if (memoryLimit > 0) {
      settings.put("gpu_mem_limit", Long.toString(memoryLimit));
    }
    settings.put("arena_extend_strategy", arena.key);
    settings.put("use_tf32", tf32 ? "1" : "0");
    return settings;
  }
}
