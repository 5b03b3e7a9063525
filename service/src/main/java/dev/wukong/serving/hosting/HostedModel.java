package dev.wukong.serving.hosting;

import dev.wukong.bundle.GoldenRows;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.InputLayout;
import dev.wukong.serving.batching.BatchCost;
import dev.wukong.serving.batching.BatchModel;
import dev.wukong.serving.batching.BatchScores;
import dev.wukong.serving.batching.PartInputs;
import dev.wukong.serving.embedding.DefaultedPositions;
import dev.wukong.serving.embedding.RowOverlay;
import dev.wukong.serving.embedding.TierView;
import dev.wukong.serving.engine.SharedEngine;
import dev.wukong.serving.inputs.ModelInputs;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One state of a loaded version of a model: its dense weights and its rows as they are together. It
 * closes when its host has let go of it and the last lease is back, so that no session closes while
 * it runs. Any thread may lease, prepare and run.
 */
public final class HostedModel implements BatchModel {
  private static final Logger log = LoggerFactory.getLogger(HostedModel.class);

  /** So long a load waits for the rows that it checks itself by. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final LoadedBundle bundle;
  private final TierView rows;
  private final SharedEngine engine;
  private final long epoch;
  private final long dense;
  private final String schemaId;

  /** The host's own lease and those of requests. At 0 it is closed or closing. */
  private final AtomicInteger leases = new AtomicInteger(1);

  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  /**
   * A state of a bundle. What it is given is closed with it, or now where it cannot be made.
   *
   * @param epoch who has trained it; 0: nobody since the bundle
   * @param dense how often the dense weights have changed since the bundle
   */
  HostedModel(LoadedBundle bundle, TierView rows, SharedEngine engine, long epoch, long dense) {
    this.bundle = bundle;
    this.rows = rows;
    this.engine = engine;
    this.epoch = epoch;
    this.dense = dense;
    this.schemaId = bundle.layout().schema().id();
    bundle.opened();
  }

  /**
   * The state after a commit, in which rows and dense weights are the changed ones, together; this
   * one stays as it is. One at a time; the caller holds a lease.
   *
   * @throws EngineException if the graph cannot be run here: then nothing has changed
   * @throws dev.wukong.serving.embedding.StoreException if the store fails: nor then
   * @throws IllegalStateException if its rows cannot be changed
   */
  HostedModel commit(ModelCommit commit) {
    byte[] graph = commit.graph();
    SharedEngine next = graph == null ? engine.share() : SharedEngine.of(bundle.engine(graph));
    boolean done = false;
    try {
      TierView view = rows.tier().commit(commit.rows(), commit.state());
      long changed = graph == null ? dense : commit.dense();
      HostedModel model = new HostedModel(bundle, view, next, commit.epoch(), changed);
      done = true;
      return model;
    } finally {
      if (!done) {
        next.close();
      }
    }
  }

  /** Room for rows that a trial sees instead of these. */
  RowOverlay overlay(int capacity) {
    return rows.tier().overlay(capacity);
  }

  /**
   * A state that is in no store: these rows with those of {@code overlay} instead, and other dense
   * weights. By who commits, who holds a lease.
   *
   * @throws EngineException if the graph cannot be run here
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  HostedModel trial(RowOverlay overlay, long epoch, long dense, byte[] graph) {
    SharedEngine other = SharedEngine.of(bundle.engine(graph));
    boolean done = false;
    try {
      HostedModel model = new HostedModel(bundle, rows.tier().open(overlay), other, epoch, dense);
      done = true;
      return model;
    } finally {
      if (!done) {
        other.close();
      }
    }
  }

  /** The model's name. */
  public String name() {
    return bundle.name();
  }

  /** The bundle's version. */
  public long bundle() {
    return bundle.version();
  }

  /** Who has trained it; grows with each new trainer. 0: nobody since the bundle. */
  public long epoch() {
    return epoch;
  }

  /** How often the dense weights have changed since the bundle. */
  public long dense() {
    return dense;
  }

  /** The version of the newest row; 0 as imported. */
  public long rows() {
    return rows.version();
  }

  /** 64 hex digits that fix how requests are packed. */
  public String schemaId() {
    return schemaId;
  }

  /** The schema as JSON. */
  public String schemaJson() {
    return bundle.schemaJson();
  }

  /** Names of the tasks, in the order of the scores' columns. */
  public List<String> taskNames() {
    return bundle.tasks();
  }

  @Override
  public int tasks() {
    return bundle.tasks().size();
  }

  /** Its bundle's manifest and who has signed it, for people. */
  String origin() {
    return bundle.origin();
  }

  /** Of the graph that answers. */
  public Precision precision() {
    return bundle.precision();
  }

  /** Maps a request's values to ids and numbers. */
  public FeatureEncoder encoder() {
    return bundle.encoder();
  }

  /** Says how values become ids: those of another one have other meanings. */
  public long encoding() {
    return bundle.encoding();
  }

  /** Bytes that these take. */
  long residentBytes() {
    return rows.tier().residentBytes();
  }

  /** Bytes of that for the rows of one table. */
  long residentBytes(String table) {
    return rows.tier().residentBytes(table);
  }

  /** Names of the tables of its rows. */
  List<String> tables() {
    return rows.tier().tables();
  }

  /** Rows in memory. */
  public long residentRows() {
    return rows.tier().residentRows();
  }

  /** As {@link dev.wukong.serving.embedding.EmbeddingTier#behind}. */
  long rowsBehind() {
    return rows.tier().behind();
  }

  /** As {@link dev.wukong.serving.embedding.EmbeddingTier#hottest}. */
  List<long[]> hottestRows() {
    return rows.tier().hottest();
  }

  /** Where features lie in encoded rows. */
  public InputLayout layout() {
    return bundle.layout();
  }

  /** All that decides what batches cost: versions of equal shape cost the same. */
  String shape() {
    return bundle.shape();
  }

  @Override
  public BatchCost cost() {
    return bundle.cost();
  }

  /** Inputs for {@link #prepare}; whoever takes them recycles them. */
  public ModelInputs inputs() {
    return bundle.inputs().take();
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
    bundle
        .preparation()
        .prepare(rows, context, candidate, contextOf, from, to, target, until, defaulted);
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
    DefaultedPositions defaulted = new DefaultedPositions(layout());
    ModelInputs target = inputs();
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
    BatchRoom room = bundle.rooms().take();
    try {
      scores.accept(room.run(parts, engine));
    } finally {
      bundle.rooms().give(room);
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
        Thread.ofPlatform().name("close-%s-%d".formatted(name(), bundle())).start(this::close);
      } catch (OutOfMemoryError e) {
        log.warn(
            "model '{}' version {}: no thread to close it on, {}", name(), bundle(), e.toString());
        close();
      }
    } else if (left < 0) {
      throw new IllegalStateException(
          "model '%s' version %d: lease given back twice".formatted(name(), bundle()));
    }
  }

  private void close() {
    try (rows;
        engine) {
      log.debug("model '{}' version {}.{}.{}: closing", name(), bundle(), dense, rows());
    } finally {
      bundle.closed();
      closed.complete(null);
    }
  }

  /** Completes when this state is closed. */
  CompletionStage<Void> closed() {
    return closed;
  }

  /** Completes when the last state of its version is closed: nothing is answered by it any more. */
  public CompletionStage<Void> unloaded() {
    return bundle.unloaded();
  }

  /** Gives the host's own lease back; completes when the model is closed. */
  CompletableFuture<Void> retire() {
    release();
    return closed;
  }
}
