package dev.wukong.serving.embedding;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.data.UniqueRows;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/**
 * Turns encoded rows into {@link PreparedRows}: distinct rows found once, and made resident. Any
 * thread that may wait.
 */
public final class RowPreparation {
  private final InputLayout layout;
  private final EmbeddingTier tier;
  private final int[] contextWidths;
  private final int[] candidateWidths;
  private final boolean[] contextWeighted;
  private final boolean[] candidateWeighted;
  private final List<List<IdColumns>> contextColumns = new ArrayList<>();
  private final List<List<IdColumns>> candidateColumns = new ArrayList<>();
  private final int contextDense;
  private final int candidateDense;

  /**
   * Finders of distinct rows that no request uses now: as many as requests were ever prepared at
   * once.
   */
  private final ConcurrentLinkedDeque<UniqueRows> idle = new ConcurrentLinkedDeque<>();

  public RowPreparation(InputLayout layout, EmbeddingTier tier) {
    this.layout = layout;
    this.tier = tier;
    int groups = layout.groups().size();
    contextWidths = new int[groups];
    candidateWidths = new int[groups];
    contextWeighted = new boolean[groups];
    candidateWeighted = new boolean[groups];
    for (int g = 0; g < groups; g++) {
      contextColumns.add(layout.columns(Scope.CONTEXT, g));
      candidateColumns.add(layout.columns(Scope.CANDIDATE, g));
      contextWidths[g] = layout.slotWidth(Scope.CONTEXT, g);
      candidateWidths[g] = layout.slotWidth(Scope.CANDIDATE, g);
      contextWeighted[g] = layout.weighted(Scope.CONTEXT, g);
      candidateWeighted[g] = layout.weighted(Scope.CANDIDATE, g);
    }
    contextDense = layout.denseWidth(Scope.CONTEXT);
    candidateDense = layout.denseWidth(Scope.CANDIDATE);
  }

  /**
   * Prepares the candidates {@code from} (inclusive) to {@code to} (exclusive) with the contexts
   * they need.
   *
   * @param context no rows where the schema has no context features
   * @param contextOf by candidate: below {@code context.rows()}; empty where the schema has no
   *     context features
   * @param defaulted receives the positions that have no row
   * @throws StoreException if rows cannot be read
   */
  public PreparedRows prepare(
      EncodedRows context,
      EncodedRows candidate,
      int[] contextOf,
      int from,
      int to,
      DefaultedPositions defaulted) {
    UniqueRows unique = take();
    try {
      return prepare(unique, context, candidate, contextOf, from, to, defaulted);
    } finally {
      unique.clear();
      idle.push(unique);
    }
  }

  private UniqueRows take() {
    @Nullable UniqueRows unique = idle.poll();
    return unique == null ? new UniqueRows(layout) : unique;
  }

  private PreparedRows prepare(
      UniqueRows unique,
      EncodedRows context,
      EncodedRows candidate,
      int[] contextOf,
      int from,
      int to,
      DefaultedPositions defaulted) {
    int[] of = contextOf.length == 0 ? contextOf : new int[to - from];
    int[] used = usedContexts(context.rows(), contextOf, from, of);
    int count = to - from;
    List<PreparedRows.GroupRows> groups = new ArrayList<>(contextWidths.length);
    for (int g = 0; g < contextWidths.length; g++) {
      int[] contextSlots = new int[used.length * contextWidths[g]];
      int[] candidateSlots = new int[count * candidateWidths[g]];
      float[] contextWeights = new float[contextWeighted[g] ? contextSlots.length : 0];
      float[] candidateWeights = new float[candidateWeighted[g] ? candidateSlots.length : 0];
      IntBuffer slots = IntBuffer.wrap(contextSlots);
      FloatBuffer weights = FloatBuffer.wrap(contextWeights);
      for (int row : used) {
        unique.slots(Scope.CONTEXT, g, context, row, 1, slots);
        if (contextWeighted[g]) {
          unique.weights(Scope.CONTEXT, g, context, row, 1, weights);
        }
      }
      unique.slots(Scope.CANDIDATE, g, candidate, from, count, IntBuffer.wrap(candidateSlots));
      if (candidateWeighted[g]) {
        unique.weights(
            Scope.CANDIDATE, g, candidate, from, count, FloatBuffer.wrap(candidateWeights));
      }
      EmbeddingTier.Places places = tier.makeResident(g, unique);
      if (places.anyDefaulted()) {
        for (int i = 0; i < used.length; i++) {
          mark(Scope.CONTEXT, g, context, used[i], contextSlots, i, places, defaulted);
        }
        for (int i = 0; i < count; i++) {
          mark(Scope.CANDIDATE, g, candidate, from + i, candidateSlots, i, places, defaulted);
        }
      }
      groups.add(
          new PreparedRows.GroupRows(
              unique.size(g),
              places.places(),
              places.spilled(),
              contextSlots,
              candidateSlots,
              contextWeights,
              candidateWeights));
    }
    float[] dense = new float[used.length * contextDense];
    for (int i = 0; i < used.length; i++) {
      System.arraycopy(
          context.dense(), used[i] * contextDense, dense, i * contextDense, contextDense);
    }
    return new PreparedRows(
        used.length,
        count,
        groups,
        dense,
        Arrays.copyOfRange(candidate.dense(), from * candidateDense, to * candidateDense),
        of);
  }

  /**
   * The contexts that these candidates have, by first appearance; {@code of} receives each
   * candidate's place among them.
   */
  private static int[] usedContexts(int contexts, int[] contextOf, int from, int[] of) {
    int[] used = new int[Math.min(contexts, of.length)];
    int[] local = new int[contexts];
    int count = 0;
    for (int i = 0; i < of.length; i++) {
      int context = contextOf[from + i];
      if (local[context] == 0) {
        used[count++] = context;
        local[context] = count;
      }
      of[i] = local[context] - 1;
    }
    return Arrays.copyOf(used, count);
  }

  /** Marks the positions of row {@code row}, whose slots are the {@code at}-th. */
  private void mark(
      Scope scope,
      int group,
      EncodedRows rows,
      int row,
      int[] slots,
      int at,
      EmbeddingTier.Places places,
      DefaultedPositions defaulted) {
    List<IdColumns> columns =
        switch (scope) {
          case CONTEXT -> contextColumns.get(group);
          case CANDIDATE -> candidateColumns.get(group);
        };
    int start =
        at
            * switch (scope) {
              case CONTEXT -> contextWidths[group];
              case CANDIDATE -> candidateWidths[group];
            };
    for (IdColumns column : columns) {
      for (int i = 0; i < column.width(); i++) {
        if (places.defaulted()[slots[start + column.start() + i]]) {
          defaulted.add(scope, rows, row, column.position() + i);
        }
      }
    }
  }
}
