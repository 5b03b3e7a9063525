package dev.wukong.training;

import java.nio.ByteBuffer;

/**
 * Dropout masks as a function of seed, step and mask: a resumed or replayed run drops the same
 * values.
 */
final class Dropout {
  private Dropout() {}

  /**
   * Fills {@code mask} with ones (kept) and zeros (dropped, with probability {@code rate} to 16
   * bits).
   *
   * @param stream tells the masks of one step apart
   */
  static void fill(
      Workers workers, ByteBuffer mask, int count, double rate, long seed, long step, int stream) {
    int threshold = (int) Math.round(rate * 65536);
    long base = mix(mix(seed + 0x632BE59BD9B4E019L * stream) + step);
    workers.range(
        count,
        4096,
        (part, from, to) -> {
          byte[] tile = new byte[4096];
          for (long at = from; at < to; at += tile.length) {
            int length = (int) Math.min(tile.length, to - at);
            for (int i = 0; i < tile.length; i += 4) {
              // Four 16-bit draws from each counter.
              long bits = mix(base + (at + i) * 0x9E3779B97F4A7C15L);
              tile[i] = keep(bits & 0xFFFF, threshold);
              tile[i + 1] = keep(bits >>> 16 & 0xFFFF, threshold);
              tile[i + 2] = keep(bits >>> 32 & 0xFFFF, threshold);
              tile[i + 3] = keep(bits >>> 48, threshold);
            }
            mask.put((int) at, tile, 0, length);
          }
        });
  }

  private static byte keep(long draw, int threshold) {
    return (byte) (draw >= threshold ? 1 : 0);
  }

  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }
}
