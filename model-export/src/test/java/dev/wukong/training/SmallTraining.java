package dev.wukong.training;

import dev.wukong.config.Section;
import dev.wukong.data.DatasetWriter;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Progress;
import dev.wukong.data.RowSource;
import dev.wukong.data.VocabularyBuilder;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.Device;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Simulated data in files, and fresh sessions of a small model to train on it. */
final class SmallTraining implements AutoCloseable {
  static final int ROWS = 600;

  /** Ten minibatches an epoch, the last of them short. */
  static final int STEPS = 10;

  static final String MODEL =
      """
      type: wukong
      embedding: {width: 8, widths: {country: 4}, deviation: 0.1}
      layers: 1
      fm_embeddings: 3
      linear_embeddings: 3
      rank: 3
      fm_mlp: {hidden: [8], batch_norm: true, dropout: 0.2}
      head: {hidden: [8], batch_norm: true, dropout: 0.1}
      """;

  private static final String OPTIONS =
      """
      batch: 64
      epochs: 3
      threads: 2
      checkpoint_every: 3ms
      dense: {optimizer: adam, learning_rate: 0.005}
      clip_norm: 1
      warm_up: 15
      plateau: {stop_after: 0}
      """;

  static final String TOUCHED = OPTIONS + "rows: {mode: touched, learning_rate: 0.05}\n";

  static final String WHOLE_TABLE =
      OPTIONS + "rows: {mode: whole_table, learning_rate: 0.005, l2: 0.001}\n";

  final EncodedDataset train;
  final EncodedDataset valid;
  private final Path folder;
  private final Simulator simulator;
  private final FeatureEncoder encoder;

  /** Files in {@code folder}; everything follows from {@code seed}. */
  SmallTraining(Path folder, long seed) {
    this.folder = folder;
    simulator = new Simulator(SimulatorConfig.small(seed));
    VocabularyBuilder vocabularies = new VocabularyBuilder(simulator.schema());
    try (RowSource rows = simulator.rows(0, ROWS / 10)) {
      vocabularies.addAll(rows, Progress.NONE);
    }
    encoder = new FeatureEncoder(simulator.schema(), vocabularies.build());
    train = encode("train" + seed, 0, ROWS / 10);
    valid = encode("valid" + seed, ROWS / 10, ROWS / 10 + 30);
  }

  /** The simulated requests {@code from} to {@code to}, ten rows each, in a file of that name. */
  EncodedDataset encode(String name, long from, long to) {
    Path file = folder.resolve(name);
    try (RowSource source = simulator.rows(from, to)) {
      DatasetWriter.write(file, encoder, source, Progress.NONE);
    }
    return EncodedDataset.open(file, encoder);
  }

  /** A fresh session. */
  TrainSession session(String model, String training) {
    RankerConfig ranker = RankerConfig.read(yaml(model));
    return new TrainSession(
        ranker,
        ranker.layout(encoder.schema()),
        TrainingConfig.read(yaml(training)),
        new Device.Cpu(),
        space -> encoder.rowsIn(space).orElseThrow());
  }

  private static Section yaml(String text) {
    return Section.of("test", new YAMLMapper().readTree(text));
  }

  /** Every bit that training keeps: weights, statistics, rows and optimizer state, by name. */
  static Map<String, IntBuffer> state(TrainSession session) {
    Map<String, IntBuffer> result = new TreeMap<>();
    for (WeightState weights : List.of(session.weights(), session.statistics())) {
      for (String name : weights.places().keySet()) {
        result.put(name, bits(weights.buffer(name)));
        for (int i = 0; i < weights.stateSlots(); i++) {
          result.put(name + " state " + i, bits(weights.state(i, name)));
        }
      }
    }
    session
        .rows()
        .forEach(
            (table, id, row, state) -> {
              result.put("row " + table + " " + id, bits(FloatBuffer.wrap(row)));
              result.put("row state " + table + " " + id, bits(FloatBuffer.wrap(state)));
            });
    result.put("steps", IntBuffer.wrap(new int[] {(int) session.steps()}));
    return result;
  }

  private static IntBuffer bits(FloatBuffer values) {
    int[] bits = new int[values.limit()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values.get(i));
    }
    return IntBuffer.wrap(bits);
  }

  @Override
  public void close() {
    train.close();
    valid.close();
  }
}
