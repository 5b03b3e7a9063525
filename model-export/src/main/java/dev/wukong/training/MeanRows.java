package dev.wukong.training;

import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The mean of each table's rows, which an id without a row takes: what training knows of an id of
 * this table of which it knows nothing. Rows of {@link RowKey#UNSEEN} and {@link RowKey#MISSING}
 * are none of an id, and count only where a table has no other. One thread.
 */
final class MeanRows {
  private final double[][] sums;
  private final long[] counts;
  private final float[][] unseen;

  MeanRows(List<Table> tables) {
    sums = tables.stream().map(table -> new double[table.width()]).toArray(double[][]::new);
    unseen = tables.stream().map(table -> new float[table.width()]).toArray(float[][]::new);
    counts = new long[sums.length];
  }

  /** Those of all rows of {@code rows}, by the table's ordinal. */
  static List<float[]> of(List<Table> tables, RowTrainer rows) {
    MeanRows means = new MeanRows(tables);
    rows.forEach((table, id, row, _) -> means.add(table, id, row));
    return means.rows();
  }

  /** Takes the next row; in the same order the means are the same, bit for bit. */
  void add(int table, long id, float[] row) {
    if (id >= RowKey.FIRST) {
      double[] sum = sums[table];
      for (int i = 0; i < sum.length; i++) {
        sum[i] += row[i];
      }
      counts[table]++;
    } else if (id == RowKey.UNSEEN) {
      unseen[table] = row.clone();
    }
  }

  /** The means, by the table's ordinal. */
  List<float[]> rows() {
    List<float[]> rows = new ArrayList<>(Arrays.asList(unseen));
    for (int table = 0; table < sums.length; table++) {
      if (counts[table] > 0) {
        float[] mean = new float[sums[table].length];
        for (int i = 0; i < mean.length; i++) {
          mean[i] = (float) (sums[table][i] / counts[table]);
        }
        rows.set(table, mean);
      }
    }
    return rows;
  }
}
