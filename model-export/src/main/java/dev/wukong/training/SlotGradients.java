package dev.wukong.training;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Sums the gradients of looked-up rows by slot. Inside the graph this would be a scatter with
 * repeated indices, which is a race or slow on the CPU; here each thread owns every n-th slot and
 * adds in the order of positions, so the sum does not depend on the threads.
 */
final class SlotGradients {
  private SlotGradients() {}

  /**
   * Adds gradient p of {@code gradients} [positions, width] to row {@code slots[p]} of {@code
   * sums}; slot 0, the padding, is left out.
   *
   * @param sums [rows, width]
   */
  static void add(
      Workers workers, int[] slots, int positions, Floats gradients, int width, float[] sums) {
    MemorySegment segment = gradients.segment();
    int chunk = Math.max(1, Floats.TILE / width);
    workers.run(
        part -> {
          float[] tile = new float[chunk * width];
          for (int from = 0; from < positions; from += chunk) {
            int count = Math.min(chunk, positions - from);
            MemorySegment.copy(
                segment,
                ValueLayout.JAVA_FLOAT,
                (long) from * width * Float.BYTES,
                tile,
                0,
                count * width);
            for (int p = 0; p < count; p++) {
              int slot = slots[from + p];
              if (slot != 0 && slot % workers.count() == part) {
                addRow(tile, p * width, sums, slot * width, width);
              }
            }
          }
        });
  }

  private static void addRow(float[] from, int at, float[] to, int into, int width) {
    for (int i = 0; i < width; i++) {
      to[into + i] += from[at + i];
    }
  }
}
