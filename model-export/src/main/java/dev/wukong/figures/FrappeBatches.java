package dev.wukong.figures;

import dev.wukong.bundle.DType;
import dev.wukong.bundle.SafetensorsFile;
import dev.wukong.bundle.SafetensorsWriter;
import dev.wukong.bundle.TensorSpec;
import dev.wukong.data.DatasetWriter;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Progress;
import dev.wukong.data.RowSource;
import dev.wukong.data.Shuffle;
import dev.wukong.data.VocabularyBuilder;
import dev.wukong.run.RunConfig;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Minibatches of Frappe's training rows, in a file that both sides read: {@code ids} [rows,
 * features], {@code labels} [rows] and, for each feature, {@code rows/<feature>}: the rows of its
 * tables.
 *
 * @param rowsIn by feature
 */
record FrappeBatches(List<EncodedExamples> batches, Map<String, Long> rowsIn) {
  private static final int COUNT = 8;
  private static final long SEED = 2021;

  FrappeBatches {
    batches = List.copyOf(batches);
    rowsIn = Map.copyOf(rowsIn);
  }

  /** Encodes the training data of {@code config} and writes some shuffled batches of it. */
  static void write(Path file, RunConfig config, Path data, Path encoded) throws IOException {
    Path train = data.resolve(FrappeBenchmark.files(config).train());
    VocabularyBuilder vocabularies = new VocabularyBuilder(config.schema());
    try (RowSource source = FrappeBenchmark.files(config).format(train).open(train)) {
      vocabularies.addAll(source, Progress.NONE);
    }
    FeatureEncoder encoder = new FeatureEncoder(config.schema(), vocabularies.build());
    try (RowSource source = FrappeBenchmark.files(config).format(train).open(train)) {
      DatasetWriter.write(encoded, encoder, source, Progress.NONE);
    }
    int rows = COUNT * config.training().batch();
    EncodedExamples examples;
    try (EncodedDataset dataset = EncodedDataset.open(encoded, encoder)) {
      Shuffle order = Shuffle.of(dataset.rows(), SEED, 0);
      long[] places = new long[rows];
      Arrays.setAll(places, order::at);
      examples = dataset.batch(places);
    }
    List<String> features = features(config);
    List<TensorSpec> specs = new ArrayList<>();
    specs.add(TensorSpec.of("ids", DType.I64, rows, features.size()));
    specs.add(TensorSpec.of("labels", DType.F32, rows));
    features.forEach(feature -> specs.add(TensorSpec.of("rows/" + feature, DType.I64)));
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            new BufferedOutputStream(Files.newOutputStream(file)), Map.of(), specs)) {
      writer.longs("ids", LongBuffer.wrap(examples.candidate().ids()));
      writer.floats("labels", examples.labels());
      for (String feature : features) {
        long count = encoder.rowsIn(feature).orElseThrow();
        writer.longs("rows/" + feature, LongBuffer.wrap(new long[] {count}));
      }
    }
  }

  /** What {@link #write} wrote. */
  static FrappeBatches read(Path file, RunConfig config) throws IOException {
    List<String> features = features(config);
    int batch = config.training().batch();
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile tensors = SafetensorsFile.map(file, arena);
      List<EncodedExamples> batches = new ArrayList<>();
      for (int b = 0; b < COUNT; b++) {
        long[] ids = new long[batch * features.size()];
        float[] labels = new float[batch];
        float[] weights = new float[batch];
        tensors.tensor("ids").longs().get(b * ids.length, ids);
        tensors.tensor("labels").floats().get(b * batch, labels);
        Arrays.fill(weights, 1);
        batches.add(
            new EncodedExamples(
                new EncodedRows(batch, new long[0], new float[0], new float[0]),
                new EncodedRows(batch, ids, new float[0], new float[0]),
                labels,
                weights));
      }
      Map<String, Long> rowsIn = new LinkedHashMap<>();
      for (String feature : features) {
        rowsIn.put(feature, tensors.tensor("rows/" + feature).longs().get(0));
      }
      return new FrappeBatches(batches, rowsIn);
    }
  }

  /** Frappe's features: an id each, in this order. */
  static List<String> features(RunConfig config) {
    return config.schema().features().stream().map(feature -> feature.name()).toList();
  }
}
