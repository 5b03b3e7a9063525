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
    workers.run(
        part -> {
          float[] row = new float[width];
          for (int p = 0; p < positions; p++) {
            int slot = slots[p];
            if (slot != 0 && slot % workers.count() == part) {
              long at = (long) p * width * Float.BYTES;
              MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT, at, row, 0, width);
              addRow(row, sums, slot * width, width);
            }
          }
        });
  }

  private static void addRow(float[] from, float[] to, int into, int width) {
    for (int i = 0; i < width; i++) {
      to[into + i] += from[i];
    }
  }
}
