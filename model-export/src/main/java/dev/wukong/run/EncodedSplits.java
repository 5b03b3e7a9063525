package dev.wukong.run;

import dev.wukong.data.EncodedDataset;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Splits encoded and open: any number of trainings, in any threads, read them at once.
 *
 * @param splits what they were made of
 * @param truth of the test split's rows, in their order: the true probabilities of the first task
 */
public record EncodedSplits(
    Splits splits,
    FeatureEncoder encoder,
    EncodedDataset train,
    Optional<EncodedDataset> valid,
    Optional<EncodedDataset> test,
    Optional<double[]> truth)
    implements AutoCloseable {

  /**
   * Encodes {@code splits} into {@code folder}.
   *
   * @throws dev.wukong.data.DataException where a task has no label to learn from, or the data is
   *     wrong
   */
  public static EncodedSplits encode(Splits splits, Schema schema, Path folder, Datasets datasets)
      throws IOException {
    FeatureEncoder encoder = datasets.encoder(schema, splits.train());
    Opened opened = new Opened(datasets, encoder, folder);
    boolean whole = false;
    try {
      EncodedDataset train = opened.add("train", splits.train());
      LabelCheck.everyTask(train, "the training data (" + splits.files().getFirst() + ")");
      Optional<EncodedDataset> valid = opened.add("valid", splits.valid());
      AtomicReference<TruthColumn> truth = new AtomicReference<>();
      Optional<Supplier<RowSource>> watched =
          splits
              .test()
              .map(
                  source ->
                      splits
                          .truth()
                          .<Supplier<RowSource>>map(column -> () -> watch(source, column, truth))
                          .orElse(source));
      Optional<EncodedDataset> test = opened.add("test", watched);
      whole = true;
      return new EncodedSplits(
          splits,
          encoder,
          train,
          valid,
          test,
          Optional.ofNullable(truth.get()).map(TruthColumn::values));
    } finally {
      if (!whole) {
        opened.close();
      }
    }
  }

  private static RowSource watch(
      Supplier<RowSource> source, String column, AtomicReference<TruthColumn> truth) {
    RowSource opened = source.get();
    try {
      TruthColumn watched = new TruthColumn(opened, column);
      truth.set(watched);
      return watched;
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /** What is open so far. */
  private static final class Opened {
    private final Datasets datasets;
    private final FeatureEncoder encoder;
    private final Path folder;
    private final List<EncodedDataset> all = new ArrayList<>();

    Opened(Datasets datasets, FeatureEncoder encoder, Path folder) {
      this.datasets = datasets;
      this.encoder = encoder;
      this.folder = folder;
    }

    EncodedDataset add(String name, Supplier<RowSource> source) throws IOException {
      EncodedDataset data =
          datasets.encode(name, source, encoder, folder.resolve(name + ".encoded"));
      all.add(data);
      return data;
    }

    Optional<EncodedDataset> add(String name, Optional<Supplier<RowSource>> source)
        throws IOException {
      return source.isEmpty() ? Optional.empty() : Optional.of(add(name, source.get()));
    }

    void close() {
      all.forEach(EncodedDataset::close);
    }
  }

  @Override
  public void close() {
    train.close();
    valid.ifPresent(EncodedDataset::close);
    test.ifPresent(EncodedDataset::close);
  }
}
