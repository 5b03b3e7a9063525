package dev.wukong.serving.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Values for a graph's inputs that no request brought, to try it with. */
final class MadeUp {
  private MadeUp() {}

  /**
   * Fills an input.
   *
   * @param bound what its values lie below, where they say where others are found
   */
  static void fill(
      MemorySegment host, GraphInput input, int values, int bound, SplittableRandom random) {
    for (int i = 0; i < values; i++) {
      switch (input.type()) {
        case FLOAT32 ->
            host.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (random.nextDouble() - 0.5));
        case FLOAT16 ->
            host.setAtIndex(
                ValueLayout.JAVA_SHORT,
                i,
                Float.floatToFloat16((float) (random.nextDouble() - 0.5)));
        case INT32 -> host.setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt(bound));
      }
    }
  }
}
