package dev.wukong.serving.hosting;

import dev.wukong.bundle.GraphInputs;
import dev.wukong.bundle.Precision;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Task;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.batching.BatchCost;
import dev.wukong.serving.embedding.RowPreparation;
import dev.wukong.serving.engine.Engine;
import dev.wukong.serving.inputs.HostMemory;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.serving.inputs.Pool;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all states of one loaded bundle share, whatever is learned after it: all but the weights and
 * the rows. Any thread.
 */
final class LoadedBundle {
  private static final Logger log = LoggerFactory.getLogger(LoadedBundle.class);

  /** Inputs and rooms kept at most: as many are rarely in work at once, and memory is limited. */
  private static final int IDLE = 128;

  private final String name;
  private final long version;
  private final String origin;
  private final InputLayout layout;
  private final String schemaJson;
  private final List<String> tasks;
  private final FeatureEncoder encoder;
  private final long encoding;
  private final RowPreparation preparation;
  private final Precision precision;
  private final String shape;
  private final BatchCost cost;
  private final Function<byte[], Engine> engines;
  private final HostMemory memory;
  private final Pool<ModelInputs> inputs;

  /** Rooms that no batch uses now: about as many as batch threads, and one for copies. */
  private final Pool<BatchRoom> rooms;

  private final CompletableFuture<Void> unloaded = new CompletableFuture<>();

  /** States that are open. At 0 the pools are closed. */
  private final AtomicInteger states = new AtomicInteger();

  /**
   * A bundle without a state.
   *
   * @param name the model's
   * @param version the bundle's
   * @param origin its manifest and who has signed it, for people
   * @param encoding as {@link dev.wukong.bundle.Manifest#encoding}
   * @param shape all that decides what batches cost: versions of equal shape cost the same
   * @param engines makes an engine of a graph of these inputs and outputs
   * @param memory for what they read and write
   */
  LoadedBundle(
      String name,
      long version,
      String origin,
      InputLayout layout,
      String schemaJson,
      FeatureEncoder encoder,
      long encoding,
      Precision precision,
      String shape,
      BatchCost cost,
      Function<byte[], Engine> engines,
      HostMemory memory) {
    this.name = name;
    this.version = version;
    this.origin = origin;
    this.layout = layout;
    this.schemaJson = schemaJson;
    this.tasks = layout.schema().tasks().stream().map(Task::name).toList();
    this.encoder = encoder;
    this.encoding = encoding;
    this.preparation = new RowPreparation(layout);
    this.precision = precision;
    this.shape = shape;
    this.cost = cost;
    this.engines = engines;
    this.memory = memory;
    Element rowType = GraphInputs.rows(precision);
    this.inputs = new Pool<>(IDLE, this::newInputs, ModelInputs::close);
    this.rooms = new Pool<>(IDLE, () -> new BatchRoom(layout, rowType, memory), BatchRoom::close);
  }

  private ModelInputs newInputs() {
    return new ModelInputs(layout, GraphInputs.rows(precision), memory, inputs::give);
  }

  String name() {
    return name;
  }

  long version() {
    return version;
  }

  String origin() {
    return origin;
  }

  InputLayout layout() {
    return layout;
  }

  String schemaJson() {
    return schemaJson;
  }

  List<String> tasks() {
    return tasks;
  }

  FeatureEncoder encoder() {
    return encoder;
  }

  long encoding() {
    return encoding;
  }

  RowPreparation preparation() {
    return preparation;
  }

  Precision precision() {
    return precision;
  }

  String shape() {
    return shape;
  }

  BatchCost cost() {
    return cost;
  }

  Pool<ModelInputs> inputs() {
    return inputs;
  }

  Pool<BatchRoom> rooms() {
    return rooms;
  }

  /**
   * An engine with other weights.
   *
   * @throws EngineException if the graph cannot be run here
   */
  Engine engine(byte[] graph) {
    return engines.apply(graph);
  }

  /** One more state is open; not after the last one was closed. */
  void opened() {
    states.incrementAndGet();
  }

  /** One that was {@link #opened} is closed. */
  void closed() {
    if (states.decrementAndGet() == 0) {
      log.info("model '{}' version {}: closed", name, version);
      inputs.close();
      rooms.close();
      unloaded.complete(null);
    }
  }

  /** Completes when the last state is closed. */
  CompletionStage<Void> unloaded() {
    return unloaded;
  }
}
