package dev.wukong.run;

import dev.wukong.data.DatasetWriter;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.FileFormat;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.VocabularyBuilder;
import dev.wukong.terminal.Bars;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import me.tongfei.progressbar.ProgressBar;

/** Data files made into encoded data sets, with progress bars. */
public final class Datasets {
  private final PrintWriter out;
  private final boolean bars;

  public Datasets(PrintWriter out, boolean bars) {
    this.out = out;
    this.bars = bars;
  }

  /**
   * The encoder whose vocabularies are those of {@code training}; the source is read only where a
   * vocabulary is needed.
   */
  public FeatureEncoder encoder(Schema schema, Supplier<RowSource> training) {
    VocabularyBuilder builder = new VocabularyBuilder(schema);
    if (builder.needed()) {
      try (RowSource source = training.get();
          ProgressBar bar = bar("vocabularies")) {
        builder.addAll(source, Bars.on(bar));
        bar.stepTo(source.row());
      }
    }
    return new FeatureEncoder(schema, builder.needed() ? builder.build() : Map.of());
  }

  /**
   * Encodes a file into {@code target} and opens the result.
   *
   * @param labelled whether its labels are read; if not, they may be missing
   */
  public EncodedDataset encode(
      Path file, FileFormat format, FeatureEncoder encoder, Path target, boolean labelled)
      throws IOException {
    return encode(
        file.getFileName().toString(), () -> format.open(file), encoder, target, labelled);
  }

  /** Encodes a source into {@code target} and opens the result. */
  public EncodedDataset encode(
      String name, Supplier<RowSource> rows, FeatureEncoder encoder, Path target)
      throws IOException {
    return encode(name, rows, encoder, target, true);
  }

  private EncodedDataset encode(
      String name, Supplier<RowSource> rows, FeatureEncoder encoder, Path target, boolean labelled)
      throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    long start = System.nanoTime();
    EncodingCounts counts;
    try (RowSource source = rows.get();
        ProgressBar bar = bar("encode " + name)) {
      counts =
          labelled
              ? DatasetWriter.write(target, encoder, source, Bars.on(bar))
              : DatasetWriter.writeUnlabelled(target, encoder, source, Bars.on(bar));
      bar.stepTo(source.row());
    }
    EncodedDataset dataset = EncodedDataset.open(target, encoder);
    double seconds = (System.nanoTime() - start) / 1e9;
    out.printf(
        "%-22s %,d rows, %,.0f rows/s; %s%n",
        name, dataset.rows(), dataset.rows() / seconds, counts);
    out.flush();
    return dataset;
  }

  private ProgressBar bar(String task) {
    return bars ? Bars.rows(task, -1) : Bars.silent();
  }
}
