package dev.wukong.serving.hosting;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.serving.embedding.RowSample;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;

/** Takes a sample of a bundle's rows: neighbours by the dozen, all over each of its tables. */
final class SampledRows {
  /** About how many rows a sample has at most. */
  private static final long ROWS = 1 << 16;

  /** And how many numbers. */
  private static final long NUMBERS = 1 << 24;

  /** So many neighbours lie on a page or two of a file, and cost no more to read than one. */
  private static final int NEIGHBOURS = 16;

  private SampledRows() {}

  /** Some rows of {@code bundle}, which stays open; all of one that has few. */
  static RowSample of(Bundle bundle) {
    return new RowSample(bundle.manifest().rows(), () -> rows(bundle));
  }

  private static List<RowSample.Rows> rows(Bundle bundle) {
    int widest = bundle.layout().tables().stream().mapToInt(Table::width).max().orElse(1);
    long most = Math.min(ROWS, NUMBERS / widest);
    long step =
        Math.multiplyExact(NEIGHBOURS, Math.ceilDiv(Math.max(bundle.manifest().rows(), 1), most));
    List<RowSample.Rows> sample = new ArrayList<>();
    for (Table table : bundle.layout().tables()) {
      bundle.forEachPart(
          table,
          (ids, values) -> {
            FloatBuffer rows = values.get("rows");
            if (rows != null) {
              for (long from = 0; from < ids.limit(); from += step) {
                sample.add(neighbours(table, ids, rows, Math.toIntExact(from)));
              }
            }
          });
    }
    return sample;
  }

  private static RowSample.Rows neighbours(
      Table table, LongBuffer ids, FloatBuffer rows, int from) {
    int count = Math.min(NEIGHBOURS, ids.limit() - from);
    long[] keys = new long[count];
    for (int i = 0; i < count; i++) {
      keys[i] = RowKey.of(table.ordinal(), ids.get(from + i));
    }
    float[] values = new float[Math.multiplyExact(count, table.width())];
    rows.get(from * table.width(), values);
    return new RowSample.Rows(table.width(), keys, values);
  }
}
