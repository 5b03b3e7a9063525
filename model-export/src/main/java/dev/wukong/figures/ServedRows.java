package dev.wukong.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.cli.ServiceProcess;
import dev.wukong.client.RankingClient;
import dev.wukong.data.FileFormat;
import dev.wukong.data.RowSource;
import java.io.IOException;
import java.nio.file.Path;

/** What a running service says of a file's rows, and how far that is from what others say. */
final class ServedRows {
  /** Candidates of a request. */
  static final int REQUEST = 500;

  private ServedRows() {}

  /**
   * The probabilities of {@code file}'s rows, by gRPC.
   *
   * @param rows how many there must be
   */
  static float[] of(ServiceProcess process, String model, FileFormat format, Path file, int rows)
      throws IOException, BenchmarkException {
    float[] result = new float[rows];
    int[] at = {0};
    try (RankingClient client = process.connect(model);
        RowSource source = format.open(file)) {
      long scored =
          client.predictAll(
              source,
              REQUEST,
              prediction -> {
                for (float probability : prediction.probabilities()) {
                  result[at[0]++] = probability;
                }
              });
      if (scored != rows) {
        throw new BenchmarkException(
            "void: the service scored " + scored + " of " + rows + " rows of " + model);
      }
    }
    return result;
  }

  /** The largest difference of two probabilities of one row. */
  static double difference(String who, float[] ours, float[] theirs) throws BenchmarkException {
    if (ours.length != theirs.length) {
      throw new BenchmarkException(
          "void: "
              + who
              + " gave "
              + theirs.length
              + " probabilities for "
              + ours.length
              + " rows");
    }
    double largest = 0;
    for (int i = 0; i < ours.length; i++) {
      double difference = Math.abs((double) ours[i] - theirs[i]);
      // A NaN is the largest difference of all.
      largest = Double.isNaN(difference) ? Double.MAX_VALUE : Math.max(largest, difference);
    }
    return largest;
  }
}
