package dev.wukong.runtime.device;

/**
 * Memory of a device, which Java must not touch: only an {@link Accelerator} and its queues do.
 *
 * @param address as the device's driver names it
 */
public record DeviceBuffer(long address, long bytes) {
  /**
   * The first bytes of it.
   *
   * @throws IllegalArgumentException if it has fewer
   */
  public DeviceBuffer first(long count) {
    if (count > bytes) {
      throw new IllegalArgumentException("%d bytes of a buffer of %d".formatted(count, bytes));
    }
    return slice(0, count);
  }

  /**
   * Some bytes of it.
   *
   * @throws IllegalArgumentException if it does not have them
   */
  public DeviceBuffer slice(long start, long count) {
    if (start < 0 || count < 0 || count > bytes - start) {
      throw new IllegalArgumentException(
          "%d bytes from %d of a buffer of %d".formatted(count, start, bytes));
    }
    return new DeviceBuffer(address + start, count);
  }
}
