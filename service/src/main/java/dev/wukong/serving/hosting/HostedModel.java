package dev.wukong.serving.hosting;

import dev.wukong.bundle.GoldenRows;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Task;
import dev.wukong.serving.batching.BatchCost;
import dev.wukong.serving.batching.BatchModel;
import dev.wukong.serving.batching.BatchScores;
import dev.wukong.serving.batching.PartInputs;
import dev.wukong.serving.embedding.DefaultedPositions;
import dev.wukong.serving.embedding.EmbeddingTier;
import dev.wukong.serving.embedding.RowPreparation;
import dev.wukong.serving.inputs.HostTensor.ElementType;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.serving.inputs.Pool;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One loaded version of a model: its schema, its rows, its session. It closes when its host has let
 * go of it and the last lease is back, so that no session closes while it runs. Any thread may
 * lease, prepare and run.
 */
public final class HostedModel implements BatchModel {
  private static final Logger log = LoggerFactory.getLogger(HostedModel.class);

  /** Inputs and rooms kept at most: as many are rarely in work at once, and memory is limited. */
  private static final int IDLE = 128;

  /** So long a load waits for the rows that it checks itself by. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final String name;
  private final long bundle;
  private final InputLayout layout;
  private final String schemaId;
  private final String schemaJson;
  private final List<String> tasks;
  private final FeatureEncoder encoder;
  private final EmbeddingTier tier;
  private final RowPreparation preparation;
  private final Engine engine;
  private final Precision precision;
  private final String shape;
  private final BatchCost cost;
  private final Pool<ModelInputs> inputs;

  /** Rooms that no batch uses now: about as many as batch threads, and one for copies. */
  private final Pool<BatchRoom> rooms;

  /** The host's own lease and those of requests. At 0 it is closed or closing. */
  private final AtomicInteger leases = new AtomicInteger(1);

  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  HostedModel(
      String name,
      long bundle,
      InputLayout layout,
      String schemaJson,
      FeatureEncoder encoder,
      EmbeddingTier tier,
      Engine engine,
      Precision precision,
      String shape,
      BatchCost cost) {
    this.name = name;
    this.bundle = bundle;
    this.layout = layout;
    this.schemaId = layout.schema().id();
    this.schemaJson = schemaJson;
    this.tasks = layout.schema().tasks().stream().map(Task::name).toList();
    this.encoder = encoder;
    this.tier = tier;
    this.preparation = new RowPreparation(layout, tier);
    this.engine = engine;
    this.precision = precision;
    this.shape = shape;
    this.cost = cost;
    this.inputs = new Pool<>(IDLE, this::newInputs, ModelInputs::close);
    ElementType rowType = GraphInputs.rows(precision);
    this.rooms = new Pool<>(IDLE, () -> new BatchRoom(layout, rowType), BatchRoom::close);
  }

  private ModelInputs newInputs() {
    return new ModelInputs(layout, GraphInputs.rows(precision), inputs::give);
  }

  /** The model's name. */
  public String name() {
    return name;
  }

  /** The bundle's version. */
  public long bundle() {
    return bundle;
  }

  /** 64 hex digits that fix how requests are packed. */
  public String schemaId() {
    return schemaId;
  }

  /** The schema as JSON. */
  public String schemaJson() {
    return schemaJson;
  }

  /** Names of the tasks, in the order of the scores' columns. */
  public List<String> taskNames() {
    return tasks;
  }

  @Override
  public int tasks() {
    return tasks.size();
  }

  /** Of the graph that answers. */
  public Precision precision() {
    return precision;
  }

  /** Maps a request's values to ids and numbers. */
  public FeatureEncoder encoder() {
    return encoder;
  }

  /** Bytes that these take. */
  long residentBytes() {
    return tier.residentBytes();
  }

  /** Rows in memory. */
  public long residentRows() {
    return tier.residentRows();
  }

  /** Where features lie in encoded rows. */
  public InputLayout layout() {
    return layout;
  }

  /** All that decides what batches cost: versions of equal shape cost the same. */
  String shape() {
    return shape;
  }

  @Override
  public BatchCost cost() {
    return cost;
  }

  /** Inputs for {@link #prepare}; whoever takes them recycles them. */
  public ModelInputs inputs() {
    return inputs.take();
  }

  /** As {@link RowPreparation#prepare}. */
  public void prepare(
      EncodedRows context,
      EncodedRows candidate,
      int[] contextOf,
      int from,
      int to,
      ModelInputs target,
      long until,
      DefaultedPositions defaulted) {
    preparation.prepare(context, candidate, contextOf, from, to, target, until, defaulted);
  }

  /**
   * The rows of {@code golden}, prepared together; to be recycled.
   *
   * @throws dev.wukong.serving.embedding.StoreException if some cannot be read
   */
  ModelInputs prepare(GoldenRows golden) {
    return prepare(golden.context(), golden.candidate(), golden.contextOf());
  }

  /** The same for any rows. */
  ModelInputs prepare(EncodedRows context, EncodedRows candidate, int[] contextOf) {
    DefaultedPositions defaulted = new DefaultedPositions(layout);
    ModelInputs target = inputs.take();
    boolean ready = false;
    try {
      long until = System.nanoTime() + PATIENCE.toNanos();
      prepare(context, candidate, contextOf, 0, candidate.rows(), target, until, defaulted);
      defaulted.requireRead();
      ready = true;
      return target;
    } finally {
      if (!ready) {
        target.recycle();
      }
    }
  }

  @Override
  public void run(List<? extends PartInputs> parts, Consumer<BatchScores> scores) {
    BatchRoom room = rooms.take();
    try {
      scores.accept(room.run(parts, engine));
    } finally {
      rooms.give(room);
    }
  }

  /** Takes a lease; false if the model is closed. */
  boolean acquire() {
    int held = leases.get();
    while (held > 0) {
      if (leases.compareAndSet(held, held + 1)) {
        return true;
      }
      held = leases.get();
    }
    return false;
  }

  /** Gives a lease back. */
  public void release() {
    int left = leases.decrementAndGet();
    if (left == 0) {
      // On a thread of its own: the last lease often comes back on the batch thread, which has
      // requests of the next version to run.
      try {
        Thread.ofPlatform().name("close-%s-%d".formatted(name, bundle)).start(this::close);
      } catch (OutOfMemoryError e) {
        log.warn("model '{}' version {}: no thread to close it on, {}", name, bundle, e.toString());
        close();
      }
    } else if (left < 0) {
      throw new IllegalStateException(
          "model '%s' version %d: lease given back twice".formatted(name, bundle));
    }
  }

  private void close() {
    try (tier;
        engine;
        inputs;
        rooms) {
      log.info("model '{}' version {}: closing", name, bundle);
    } finally {
      closed.complete(null);
    }
  }

  /** Completes when the model is closed: nothing is answered by it any more. */
  public CompletionStage<Void> closed() {
    return closed;
  }

  /** Gives the host's own lease back; completes when the model is closed. */
  CompletableFuture<Void> retire() {
    release();
    return closed;
  }
}
