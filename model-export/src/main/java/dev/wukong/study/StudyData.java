package dev.wukong.study;

import dev.wukong.data.EncodedDataset;
import dev.wukong.data.Hash;
import dev.wukong.run.DataConfig;
import dev.wukong.run.Datasets;
import dev.wukong.run.EncodedSplits;
import dev.wukong.run.LabelCheck;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Splits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The data of a study's runs, each data set with each schema encoded once. Opened by one thread,
 * then read by any.
 */
final class StudyData implements AutoCloseable {
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  /** Encoded data and, once a run has asked for them, its slices. */
  static final class Entry {
    private final EncodedSplits splits;
    private final String truth;
    private @Nullable Slicing slicing;

    private Entry(EncodedSplits splits, DataConfig config) {
      this.splits = splits;
      this.truth =
          switch (config) {
            case DataConfig.Files _ -> splits.truth().map(t -> hex(Hash.of(bytes(t)))).orElse("");
            // It follows from the world, as the rows do.
            case DataConfig.Simulated _ -> "";
          };
    }

    EncodedSplits splits() {
      return splits;
    }

    EncodedDataset test() {
      return splits.test().orElseThrow();
    }

    synchronized Slicing slicing() {
      if (slicing == null) {
        slicing = Slicing.of(splits);
      }
      return slicing;
    }

    /** What tells it from other data. */
    Result.DataPrint print() {
      EncodedDataset valid = splits.valid().orElseThrow();
      return new Result.DataPrint(
          hex(splits.train().fingerprint()),
          hex(valid.fingerprint()),
          hex(test().fingerprint()),
          truth,
          splits.train().rows(),
          valid.rows(),
          test().rows());
    }
  }

  private static byte[] bytes(double[] numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(Double.BYTES, numbers.length));
    bytes.asDoubleBuffer().put(numbers);
    return bytes.array();
  }

  private static String hex(long number) {
    return String.format("%016x", number);
  }

  private static String key(RunConfig config) {
    String described = config.data() + " " + config.schema().toJson();
    return hex(Hash.of(described.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * Encodes the data of {@code config}, unless a run before had the same.
   *
   * @param files where data files lie
   * @param folder for encoded data
   */
  void open(RunConfig config, Path files, Path folder, Datasets datasets) throws IOException {
    String key = key(config);
    if (!entries.containsKey(key)) {
      EncodedSplits encoded =
          EncodedSplits.encode(
              Splits.of(config.data(), files), config.schema(), folder.resolve(key), datasets);
      Entry entry = new Entry(encoded, config.data());
      entries.put(key, entry);
      LabelCheck.everyTask(entry.test(), "the test data");
    }
  }

  /** The data of {@code config}, which was opened. */
  Entry of(RunConfig config) {
    return find(config)
        .orElseThrow(
            () -> new IllegalStateException("the data of " + config.name() + " was not opened"));
  }

  /** The data of {@code config}, where it was opened. */
  Optional<Entry> find(RunConfig config) {
    return Optional.ofNullable(entries.get(key(config)));
  }

  @Override
  public void close() {
    entries.values().forEach(entry -> entry.splits.close());
  }
}
