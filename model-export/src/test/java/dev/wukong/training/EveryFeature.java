package dev.wukong.training;

import dev.wukong.data.DatasetWriter;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.FileFormat;
import dev.wukong.data.Progress;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.SchemaYaml;
import dev.wukong.data.VocabularyBuilder;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/**
 * A small data set with every kind of feature: vocabularies, hashes, buckets, several values,
 * weights, shared tables, numbers, contexts; absent values and values that training never saw.
 */
public final class EveryFeature {
  private static final String CANDIDATE =
      """
          - {name: item, type: int64, min_count: 2}
          - {name: shop, type: int64, ids: hash}
          - {name: brand, type: string, ids: hash, buckets: 40}
          - {name: tags, type: string, max_ids: 3, pooling: sum, weights: tag_weights}
          - {name: colours, type: string, ids: hash, buckets: 9, max_ids: 3}
          - {name: price, type: number, transform: log1p}
          - {name: picture, type: number, width: 2}
      """;

  private static final String CONTEXT =
      """
          - {name: user, type: int64, scope: context}
          - {name: country, type: string, scope: context}
          - {name: age, type: number, ids: buckets, boundaries: [18, 25, 50], scope: context}
          - {name: history, type: int64, scope: context, max_ids: 4, pooling: mean, shares: item}
          - {name: balance, type: number, transform: log1p, optional: true, scope: context}
      """;

  private static final String REST =
      """
        tasks:
          - {name: click}
          - {name: seconds, threshold: 30}
      """;

  /** Batch normalization, other widths, several embeddings: every part of the model too. */
  static final String MODEL =
      """
      type: wukong
      embedding: {width: 8, widths: {brand: 4, shop: 3}, counts: {item: 2}, deviation: 0.3, bottom: {hidden: [8]}}
      layers: 2
      fm_embeddings: 3
      linear_embeddings: 4
      rank: 3
      fm_mlp: {hidden: [16], batch_norm: true}
      head: {hidden: [16], batch_norm: true}
      """;

  static final String TRAINING =
      """
      batch: 64
      epochs: 2
      threads: 1
      dense: {optimizer: adam, learning_rate: 0.01}
      rows: {mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.05}
      """;

  private static final List<String> COLUMNS =
      List.of(
          "user",
          "country",
          "age",
          "history",
          "balance",
          "item",
          "shop",
          "brand",
          "tags",
          "tag_weights",
          "colours",
          "price",
          "picture",
          "click",
          "seconds");

  private EveryFeature() {}

  /** The schema, indented by two, without context features where {@code contexts} is false. */
  private static String schemaYaml(boolean contexts) {
    return "  name: every\n  features:\n"
        + (contexts ? CONTEXT : "").indent(0)
        + CANDIDATE.indent(0)
        + REST;
  }

  public static Schema schema() {
    return SchemaYaml.parse(schemaYaml(true).indent(-2), "every");
  }

  /** A configuration for {@code rows.csv} and {@code more.csv} beside it. */
  public static Path configuration(Path folder, boolean contexts) throws IOException {
    return Files.writeString(
        folder.resolve("every.yaml"),
        "name: every\ndata: {train: rows.csv, valid: more.csv}\nschema:\n"
            + schemaYaml(contexts)
            + "model:\n"
            + MODEL.indent(2)
            + "training:\n"
            + TRAINING.indent(2));
  }

  /** Writes {@code rows} rows; ids are below {@code ids}. */
  public static Path csv(Path file, int rows, int ids, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> lines = new ArrayList<>(List.of(String.join(",", COLUMNS)));
    for (int i = 0; i < rows; i++) {
      lines.add(row(random, ids));
    }
    return Files.write(file, lines);
  }

  private static String row(SplittableRandom random, int ids) {
    int item = random.nextInt(ids);
    int user = random.nextInt(ids);
    String tags = several(random, 4, () -> "t" + random.nextInt(ids));
    String weights =
        tags.isEmpty() ? "" : tags.replaceAll("[^|]+", String.valueOf(random.nextInt(1, 4)));
    return String.join(
        ",",
        absent(random) ? "" : String.valueOf(user - 3),
        absent(random) ? "" : "land" + random.nextInt(ids),
        absent(random) ? "" : String.valueOf(random.nextInt(80)),
        several(random, 6, () -> String.valueOf(random.nextInt(ids))),
        absent(random) ? "" : String.valueOf(random.nextLong(-1_000_000_000, 1_000_000_000)),
        absent(random) ? "" : String.valueOf(item),
        absent(random) ? "" : String.valueOf(random.nextInt(ids) * 1_000_003L),
        absent(random) ? "" : "brand" + random.nextInt(ids),
        tags,
        weights,
        several(random, 3, () -> "c" + random.nextInt(ids)),
        String.format(Locale.ROOT, "%.2f", random.nextDouble() * 1000),
        String.format(Locale.ROOT, "%.3f|%.3f", random.nextDouble(), random.nextDouble()),
        String.valueOf((user + item) % 2),
        absent(random) ? "" : String.valueOf(random.nextInt(60)));
  }

  private static boolean absent(SplittableRandom random) {
    return random.nextInt(8) == 0;
  }

  private static String several(SplittableRandom random, int most, Supplier<String> one) {
    List<String> values = new ArrayList<>();
    for (int n = random.nextInt(most + 1); n > 0; n--) {
      values.add(one.get());
    }
    return String.join("|", values);
  }

  /**
   * A bundle of two epochs of training in {@code folder}, where {@code rows.csv} is what it was
   * trained on and {@code more.csv} has values that it never saw.
   */
  public static Path bundle(Path folder, boolean contexts) throws IOException {
    csv(folder.resolve("rows.csv"), 400, 30, 1);
    csv(folder.resolve("more.csv"), 150, 45, 2);
    RunConfig run = RunConfig.read(configuration(folder, contexts).toString());
    StringWriter said = new StringWriter();
    Training training = new Training(run, new Device.Cpu(), new PrintWriter(said), false);
    return training
        .run(training.splits(folder), folder.resolve("work"), folder.resolve("bundles"), "test")
        .orElseThrow()
        .bundle();
  }

  /** The encoder of the schema with the vocabularies of {@code file}. */
  public static FeatureEncoder encoder(Path file) {
    VocabularyBuilder builder = new VocabularyBuilder(schema());
    try (RowSource source = FileFormat.guess(file).open(file)) {
      builder.addAll(source, Progress.NONE);
    }
    return new FeatureEncoder(schema(), builder.build());
  }

  /** {@code file} encoded, beside it. */
  public static EncodedDataset encoded(Path file, FeatureEncoder encoder) throws IOException {
    Path target = file.resolveSibling(file.getFileName() + ".encoded");
    try (RowSource source = FileFormat.guess(file).open(file)) {
      DatasetWriter.write(target, encoder, source, Progress.NONE);
    }
    return EncodedDataset.open(target, encoder);
  }
}
