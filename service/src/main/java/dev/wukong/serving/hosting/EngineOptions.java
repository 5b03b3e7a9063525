package dev.wukong.serving.hosting;

import dev.wukong.bundle.Precision;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;

/**
 * How graphs run.
 *
 * @param threads of one run, at least 1
 * @param spin whether idle threads of a run busy-wait for work: faster on cores that nothing else
 *     wants
 * @param precision which of a bundle's predict graphs
 */
public record EngineOptions(Device device, int threads, boolean spin, Precision precision) {
  public EngineOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is %d, allowed is 1 or more".formatted(threads));
    }
  }

  /**
   * Fails where graphs cannot run on the device at all, before any is loaded.
   *
   * @throws dev.wukong.runtime.DeviceException naming what is missing
   */
  public void requireDevice() {
    OnnxRuntime.options(device, threads, spin).close();
  }
}
