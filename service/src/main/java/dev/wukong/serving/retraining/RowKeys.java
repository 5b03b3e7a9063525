package dev.wukong.serving.retraining;

import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/** Keys of rows, in parts. */
final class RowKeys {
  /** Rows that are read together. */
  private static final int PAGE = 4096;

  private RowKeys() {}

  /** Those of rows of {@code width}, in their order. */
  static long[] ofWidth(InputLayout layout, int width, long[] keys) {
    return LongStream.of(keys)
        .filter(key -> layout.tables().get(RowKey.table(key)).width() == width)
        .toArray();
  }

  /** All of them, some at a time. */
  static List<long[]> pages(long[] keys) {
    List<long[]> pages = new ArrayList<>();
    for (int from = 0; from < keys.length; from += PAGE) {
      pages.add(Arrays.copyOfRange(keys, from, Math.min(keys.length, from + PAGE)));
    }
    return pages;
  }
}
