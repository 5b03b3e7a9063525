package dev.wukong.serving.hosting;

import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.serving.batching.BatchCost;
import dev.wukong.serving.embedding.DefaultedPositions;
import dev.wukong.serving.embedding.EmbeddingTier;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowFormat;
import dev.wukong.serving.embedding.RowMeters;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.TierView;
import dev.wukong.serving.engine.Engine;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.engine.Engines;
import dev.wukong.serving.engine.SharedEngine;
import dev.wukong.serving.inputs.HostMemory;
import dev.wukong.serving.inputs.ModelInputs;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.LongConsumer;

/**
 * Scores requests while commits change rows and dense weights, and checks of each answer that all
 * its rows and its dense weights are those of the version that it names.
 */
final class TornReadAudit {
  private static final int CANDIDATES = 500;
  private static final long PATIENCE = Duration.ofMinutes(1).toNanos();

  /** A defect that it must find. */
  enum Planted {
    NONE,
    /** A request takes its rows from one state of the model and its dense weights from another. */
    MIXTURE
  }

  /**
   * What was seen.
   *
   * @param rowReads rows that answers were made of
   * @param swaps commits that became visible meanwhile
   * @param versions how many of them have answered something
   * @param unread rows that could not be read
   * @param torn answers of candidates that are not those of their version
   */
  record Seen(long rowReads, int swaps, int versions, long unread, long torn) {}

  private final Stamps stamps;
  private final RowStore store;
  private final int resident;
  private final Planted planted;
  private final Function<InputLayout, Function<byte[], Engine>> engines;
  private final AtomicLong reads = new AtomicLong();
  private final AtomicBoolean done = new AtomicBoolean();
  private final AtomicLong unread = new AtomicLong();
  private final AtomicLong torn = new AtomicLong();

  /** By version, whether it has answered. */
  private final AtomicBoolean[] answered;

  /**
   * Of rows in {@code store}, of which {@code resident} are in memory.
   *
   * @param swaps commits
   */
  TornReadAudit(Stamps stamps, RowStore store, int resident, int swaps, Planted planted) {
    this(
        stamps,
        store,
        resident,
        swaps,
        planted,
        layout ->
            new Engines(layout, EngineOptions.cpu(1, false, Precision.FP32), CANDIDATES)::load);
  }

  /**
   * The same.
   *
   * @param engines makes an engine of a graph of a layout
   */
  TornReadAudit(
      Stamps stamps,
      RowStore store,
      int resident,
      int swaps,
      Planted planted,
      Function<InputLayout, Function<byte[], Engine>> engines) {
    this.engines = engines;
    this.stamps = stamps;
    this.store = store;
    this.resident = resident;
    this.planted = planted;
    this.answered = new AtomicBoolean[swaps + 1];
    for (int v = 0; v <= swaps; v++) {
      answered[v] = new AtomicBoolean();
    }
  }

  /**
   * Commits, evenly over {@code rowReads} row reads, which {@code threads} threads do.
   *
   * @param progress told the commits so far
   */
  Seen run(int threads, long rowReads, LongConsumer progress) throws Exception {
    MeterRegistry meters = new SimpleMeterRegistry();
    int swaps = answered.length - 1;
    try (RowThreads rows = RowThreads.start(1, meters);
        ModelHost host = Hosted.host();
        ExecutorService readers = Executors.newFixedThreadPool(threads)) {
      ServedModel model = host.add("stamps");
      model.add(first(rows, meters));
      model.serve(1);
      List<Future<?>> reading = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        SplittableRandom random = new SplittableRandom(t);
        reading.add(
            readers.submit(
                () -> {
                  read(model, random);
                  return null;
                }));
      }
      try {
        for (int version = 1; version <= swaps; version++) {
          await(reading, rowReads * version / (swaps + 1));
          ModelCommit commit =
              new ModelCommit(
                  0,
                  Stamps.dense(version),
                  stamps.changes(version),
                  List.of(),
                  stamps.graph(version));
          if (!model.commit(1, commit)) {
            throw new IllegalStateException("nobody sees commit %d".formatted(version));
          }
          progress.accept(version);
        }
        await(reading, rowReads);
      } finally {
        done.set(true);
      }
      for (Future<?> reader : reading) {
        reader.get();
      }
    }
    int versions = 0;
    for (AtomicBoolean version : answered) {
      versions += version.get() ? 1 : 0;
    }
    return new Seen(reads.get(), swaps, versions, unread.get(), torn.get());
  }

  private void await(List<Future<?>> reading, long rowReads) {
    while (reads.get() < rowReads && reading.stream().noneMatch(Future::isDone)) {
      LockSupport.parkNanos(100_000);
    }
  }

  private HostedModel first(RowThreads threads, MeterRegistry meters) {
    InputLayout layout = stamps.layout();
    RowsView view = new RowsView("stamps", 1, 0);
    store.drop(view);
    store.apply(new RowCommit(view, List.of(stamps.imported())));
    List<float[]> defaults = new ArrayList<>();
    for (Table _ : layout.tables()) {
      defaults.add(Stamps.defaultRow());
    }
    TierView rows =
        new EmbeddingTier(
                layout,
                view,
                store,
                threads,
                RowFormat.FP32,
                new int[] {resident},
                false,
                defaults,
                new RowMeters("stamps", meters))
            .open();
    LoadedBundle bundle =
        new LoadedBundle(
            "stamps",
            1,
            "made up",
            layout,
            "{}",
            new FeatureEncoder(layout.schema(), Map.of()),
            0,
            Precision.FP32,
            "stamps",
            new BatchCost(CANDIDATES),
            engines.apply(layout),
            HostMemory.PLAIN);
    return new HostedModel(bundle, rows, SharedEngine.of(bundle.engine(stamps.graphOf(0))), 0, 0);
  }

  private void read(ServedModel served, SplittableRandom random) {
    long[] context = new long[Stamps.CONTEXT_FEATURES];
    long[] candidates = new long[CANDIDATES * Stamps.CANDIDATE_FEATURES];
    int[] contextOf = new int[CANDIDATES];
    float[] none = {};
    while (!done.get()) {
      draw(random, context);
      draw(random, candidates);
      HostedModel model = lease(served);
      ModelInputs inputs = model.inputs();
      try {
        DefaultedPositions defaulted = new DefaultedPositions(model.layout());
        model.prepare(
            new EncodedRows(1, context, none, none),
            new EncodedRows(CANDIDATES, candidates, none, none),
            contextOf,
            0,
            CANDIDATES,
            inputs,
            System.nanoTime() + PATIENCE,
            defaulted);
        unread.addAndGet(defaulted.unread());
        HostedModel runs = planted == Planted.MIXTURE ? lease(served) : model;
        try {
          runs.run(
              List.of(inputs),
              scores -> check(model, context, candidates, scores.logits().asFloatBuffer()));
        } finally {
          if (planted == Planted.MIXTURE) {
            runs.release();
          }
        }
      } finally {
        inputs.recycle();
        model.release();
      }
      reads.addAndGet(context.length + candidates.length);
    }
  }

  private static HostedModel lease(ServedModel served) {
    HostedModel model = served.lease();
    if (model == null) {
      throw new IllegalStateException("nothing serves");
    }
    return model;
  }

  /** Few ids are asked for often, so that some stay in memory and others come and go. */
  private void draw(SplittableRandom random, long[] ids) {
    for (int i = 0; i < ids.length; i++) {
      double u = random.nextDouble();
      ids[i] = (long) (u * u * u * stamps.ids());
    }
  }

  private void check(HostedModel model, long[] context, long[] candidates, FloatBuffer logits) {
    int version = Math.toIntExact(model.rows());
    answered[version].set(true);
    int dense = Stamps.dense(version);
    int[] contextTables = tables(Scope.CONTEXT);
    int[] candidateTables = tables(Scope.CANDIDATE);
    int shared = 0;
    for (int f = 0; f < context.length; f++) {
      shared += Stamps.sum(contextTables[f], context[f], version);
    }
    long wrong = model.dense() == dense ? 0 : 1;
    for (int c = 0; c < CANDIDATES; c++) {
      int sum = shared;
      for (int f = 0; f < Stamps.CANDIDATE_FEATURES; f++) {
        sum +=
            Stamps.sum(candidateTables[f], candidates[c * Stamps.CANDIDATE_FEATURES + f], version);
      }
      // Sums are whole and below 2^24, so that floats hold them exactly, in whatever order.
      boolean right =
          logits.get(2 * c) == sum && logits.get(2 * c + 1) == (float) sum * (float) dense;
      wrong += right ? 0 : 1;
    }
    torn.addAndGet(wrong);
  }

  /** Which table the positions of a row of the scope are of. */
  private int[] tables(Scope scope) {
    InputLayout layout = stamps.layout();
    int[] tables = new int[layout.positions(scope)];
    layout
        .columns(scope, 0)
        .forEach(columns -> tables[columns.position()] = columns.table().ordinal());
    return tables;
  }
}
