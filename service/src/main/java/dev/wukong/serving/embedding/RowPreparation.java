package dev.wukong.serving.embedding;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.data.UniqueRows;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.serving.inputs.Pool;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns encoded rows into a graph's inputs: distinct rows are found once, and copied into place.
 * Any thread that may wait.
 */
public final class RowPreparation {
  /** Finders kept at most: what more requests at once took is left to the collector. */
  private static final int IDLE = 128;

  private final int[] contextWidths;
  private final int[] candidateWidths;
  private final boolean[] contextWeighted;
  private final boolean[] candidateWeighted;
  private final List<List<IdColumns>> contextColumns = new ArrayList<>();
  private final List<List<IdColumns>> candidateColumns = new ArrayList<>();
  private final int contextDense;
  private final int candidateDense;

  /** Finders of distinct rows that no request uses now. */
  private final Pool<UniqueRows> idle;

  public RowPreparation(InputLayout layout) {
    this.idle = new Pool<>(IDLE, () -> new UniqueRows(layout));
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
   * @param view whose rows they take
   * @param context no rows where the schema has no context features
   * @param contextOf by candidate: below {@code context.rows()}; empty where the schema has no
   *     context features
   * @param target is overwritten
   * @param until a {@link System#nanoTime}: who has not been read by then takes a default row
   * @param defaulted receives the positions that have no row
   */
  public void prepare(
      TierView view,
      EncodedRows context,
      EncodedRows candidate,
      int[] contextOf,
      int from,
      int to,
      ModelInputs target,
      long until,
      DefaultedPositions defaulted) {
    UniqueRows unique = idle.take();
    try {
      prepare(unique, view, context, candidate, contextOf, from, to, target, until, defaulted);
    } finally {
      unique.clear();
      idle.give(unique);
    }
  }

  private void prepare(
      UniqueRows unique,
      TierView view,
      EncodedRows context,
      EncodedRows candidate,
      int[] contextOf,
      int from,
      int to,
      ModelInputs target,
      long until,
      DefaultedPositions defaulted) {
    int count = to - from;
    int[] of = contextOf.length == 0 ? contextOf : new int[count];
    int[] used = usedContexts(context.rows(), contextOf, from, of);
    target.begin(used.length, count);
    target.contextOf().put(of);
    for (int g = 0; g < contextWidths.length; g++) {
      IntBuffer contextSlots = target.slots(Scope.CONTEXT, g);
      IntBuffer candidateSlots = target.slots(Scope.CANDIDATE, g);
      for (int row : used) {
        unique.slots(Scope.CONTEXT, g, context, row, 1, contextSlots);
      }
      unique.slots(Scope.CANDIDATE, g, candidate, from, count, candidateSlots);
      putWeights(unique, context, candidate, used, from, count, g, target);
      @Nullable Defaulted without = view.copyRows(g, unique, target, until);
      if (without != null) {
        for (int i = 0; i < used.length; i++) {
          mark(Scope.CONTEXT, g, context, used[i], contextSlots, i, without, defaulted);
        }
        for (int i = 0; i < count; i++) {
          mark(Scope.CANDIDATE, g, candidate, from + i, candidateSlots, i, without, defaulted);
        }
      }
    }
    if (contextDense > 0) {
      FloatBuffer dense = target.dense(Scope.CONTEXT);
      for (int row : used) {
        dense.put(context.dense(), row * contextDense, contextDense);
      }
    }
    if (candidateDense > 0) {
      target
          .dense(Scope.CANDIDATE)
          .put(candidate.dense(), from * candidateDense, count * candidateDense);
    }
  }

  private void putWeights(
      UniqueRows unique,
      EncodedRows context,
      EncodedRows candidate,
      int[] used,
      int from,
      int count,
      int group,
      ModelInputs target) {
    if (contextWeighted[group]) {
      FloatBuffer weights = target.weights(Scope.CONTEXT, group);
      for (int row : used) {
        unique.weights(Scope.CONTEXT, group, context, row, 1, weights);
      }
    }
    if (candidateWeighted[group]) {
      FloatBuffer weights = target.weights(Scope.CANDIDATE, group);
      unique.weights(Scope.CANDIDATE, group, candidate, from, count, weights);
    }
  }

  /**
   * The contexts that these candidates have, by first appearance; {@code of} receives each
   * candidate's place among them.
   */
  private static int[] usedContexts(int contexts, int[] contextOf, int from, int[] of) {
    if (contexts == 1) {
      return new int[] {0}; // And each candidate's place is 0, too.
    }
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
      IntBuffer slots,
      int at,
      Defaulted without,
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
        int slot = slots.get(start + column.start() + i);
        if (without.slots().get(slot)) {
          defaulted.add(scope, rows, row, column.position() + i, without.unread().get(slot));
        }
      }
    }
  }
}
