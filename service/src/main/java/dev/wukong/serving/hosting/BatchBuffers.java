package dev.wukong.serving.hosting;

import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Scope;
import dev.wukong.data.UniqueRows;
import dev.wukong.serving.embedding.EmbeddingTier;
import dev.wukong.serving.embedding.PreparedRows;
import dev.wukong.serving.embedding.PreparedRows.GroupRows;
import dev.wukong.serving.hosting.HostTensor.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The inputs and outputs of a model's graph in reusable direct memory: parts of several requests go
 * in one after another, and a row that several of them use goes in once. One thread at a time.
 */
final class BatchBuffers implements AutoCloseable {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
  private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  /** The buffers of one group; widths are slots a row. */
  private record GroupBuffers(
      int index, Group group, GrowingBuffer rows, ScopeBuffers context, ScopeBuffers candidate) {
    void close() {
      rows.close();
      context.close();
      candidate.close();
    }
  }

  private record ScopeBuffers(
      String slotsName,
      String weightsName,
      int width,
      boolean weighted,
      GrowingBuffer slots,
      GrowingBuffer weights) {
    void close() {
      slots.close();
      weights.close();
    }
  }

  private final EmbeddingTier tier;
  private final ElementType rowType;
  private final UniqueRows unique;
  private final List<GroupBuffers> groups = new ArrayList<>();
  private final boolean hasContext;
  private final int contextDense;
  private final int candidateDense;
  private final int tasks;
  private final GrowingBuffer denseContext = new GrowingBuffer();
  private final GrowingBuffer denseCandidate = new GrowingBuffer();
  private final GrowingBuffer contextOf = new GrowingBuffer();
  private final GrowingBuffer probabilities = new GrowingBuffer();
  private final GrowingBuffer logits = new GrowingBuffer();
  private int contexts;
  private int candidates;

  /**
   * Empty buffers.
   *
   * @param rowType FLOAT32, or FLOAT16 where the graph takes its rows in half precision
   */
  BatchBuffers(InputLayout layout, EmbeddingTier tier, ElementType rowType) {
    this.tier = tier;
    this.rowType = rowType;
    unique = new UniqueRows(layout);
    hasContext = layout.schema().hasContext();
    contextDense = layout.denseWidth(Scope.CONTEXT);
    candidateDense = layout.denseWidth(Scope.CANDIDATE);
    tasks = layout.schema().tasks().size();
    for (int g = 0; g < layout.groups().size(); g++) {
      groups.add(
          new GroupBuffers(
              g,
              layout.groups().get(g),
              new GrowingBuffer(),
              scope(layout, Scope.CONTEXT, g),
              scope(layout, Scope.CANDIDATE, g)));
    }
  }

  private static ScopeBuffers scope(InputLayout layout, Scope scope, int g) {
    Group group = layout.groups().get(g);
    return new ScopeBuffers(
        InputNames.slots(scope, group),
        InputNames.weights(scope, group),
        layout.slotWidth(scope, g),
        layout.weighted(scope, g),
        new GrowingBuffer(),
        new GrowingBuffer());
  }

  /** Replaces the contents by {@code parts}. */
  void fill(List<PreparedRows> parts) {
    contexts = 0;
    candidates = 0;
    for (PreparedRows part : parts) {
      contexts += part.contexts();
      candidates += part.candidates();
    }
    unique.clear();
    for (GroupBuffers group : groups) {
      fill(group, parts);
    }
    fillDense(parts);
    long outputs = (long) candidates * tasks * Float.BYTES;
    probabilities.ensure(outputs);
    logits.ensure(outputs);
  }

  private void fill(GroupBuffers group, List<PreparedRows> parts) {
    long rowBytes = (long) group.group().width() * rowType.bytes();
    group.rows().ensure(rowBytes);
    group.rows().segment().asSlice(0, rowBytes).fill((byte) 0);
    ensure(group.context(), contexts);
    ensure(group.candidate(), candidates);
    int context = 0;
    int candidate = 0;
    for (int p = 0; p < parts.size(); p++) {
      GroupRows own = parts.get(p).groups().get(group.index());
      int[] slotOf = gather(group, own, p, rowBytes);
      putSlots(group.context(), own.contextSlots(), slotOf, context);
      putSlots(group.candidate(), own.candidateSlots(), slotOf, candidate);
      putFloats(group.context().weights(), own.contextWeights(), context * group.context().width());
      putFloats(
          group.candidate().weights(),
          own.candidateWeights(),
          candidate * group.candidate().width());
      context += parts.get(p).contexts();
      candidate += parts.get(p).candidates();
    }
  }

  private static void ensure(ScopeBuffers scope, int rows) {
    long bytes = (long) rows * scope.width() * Integer.BYTES;
    scope.slots().ensure(bytes);
    if (scope.weighted()) {
      scope.weights().ensure(bytes);
    }
  }

  /**
   * Copies the part's rows that the batch does not have yet; returns the batch's slot of each of
   * the part's.
   */
  private int[] gather(GroupBuffers group, GroupRows own, int part, long rowBytes) {
    int g = group.index();
    int[] slotOf = new int[own.count() + 1];
    int copied = unique.size(g);
    group.rows().ensure((copied + own.count() + 1) * rowBytes);
    MemorySegment rows = group.rows().segment();
    int width = group.group().width();
    boolean half = rowType == ElementType.FLOAT16;
    float[] row = new float[half ? width : 0];
    for (int slot = 1; slot <= own.count(); slot++) {
      int place = own.places()[slot];
      boolean resident = place >= 0;
      // A spilled row belongs to its part alone; its key lies above all places.
      long key = resident ? place : ((long) (part + 1) << 32) | (-2 - place);
      int target = unique.slotOf(g, key);
      if (target > copied) {
        copied = target;
        // Rows stay in single precision in memory; a graph in half precision gets them rounded.
        MemorySegment to = half ? MemorySegment.ofArray(row) : rows;
        long at = half ? 0 : target * rowBytes;
        if (resident) {
          tier.copyRow(g, place, to, at);
        } else {
          MemorySegment.copy(own.spilled(), (-2 - place) * width, to, FLOAT, at, width);
        }
        if (half) {
          putHalves(row, rows, (long) target * width);
        }
      }
      slotOf[slot] = target;
    }
    return slotOf;
  }

  private static void putHalves(float[] row, MemorySegment to, long at) {
    for (int i = 0; i < row.length; i++) {
      to.setAtIndex(HALF, at + i, Float.floatToFloat16(row[i]));
    }
  }

  private static void putSlots(ScopeBuffers scope, int[] slots, int[] slotOf, int row) {
    MemorySegment to = scope.slots().segment();
    long at = (long) row * scope.width();
    for (int i = 0; i < slots.length; i++) {
      to.setAtIndex(INT, at + i, slotOf[slots[i]]);
    }
  }

  private static void putFloats(GrowingBuffer to, float[] from, int at) {
    if (from.length > 0) {
      MemorySegment.copy(from, 0, to.segment(), FLOAT, (long) at * Float.BYTES, from.length);
    }
  }

  private void fillDense(List<PreparedRows> parts) {
    denseContext.ensure((long) contexts * contextDense * Float.BYTES);
    denseCandidate.ensure((long) candidates * candidateDense * Float.BYTES);
    contextOf.ensure((long) candidates * Integer.BYTES);
    int context = 0;
    int candidate = 0;
    for (PreparedRows part : parts) {
      putFloats(denseContext, part.contextDense(), context * contextDense);
      putFloats(denseCandidate, part.candidateDense(), candidate * candidateDense);
      for (int i = 0; i < part.contextOf().length; i++) {
        contextOf.segment().setAtIndex(INT, (long) candidate + i, context + part.contextOf()[i]);
      }
      context += part.contexts();
      candidate += part.candidates();
    }
  }

  /** The graph's inputs, valid until the next {@link #fill}. */
  List<HostTensor> inputs() {
    List<HostTensor> inputs = new ArrayList<>();
    for (GroupBuffers group : groups) {
      int rows = unique.size(group.index()) + 1;
      inputs.add(
          tensor(
              InputNames.rows(group.group()), rowType, group.rows(), rows, group.group().width()));
      add(inputs, group.context(), contexts);
      add(inputs, group.candidate(), candidates);
    }
    if (contextDense > 0) {
      inputs.add(floats(InputNames.dense(Scope.CONTEXT), denseContext, contexts, contextDense));
    }
    if (candidateDense > 0) {
      inputs.add(
          floats(InputNames.dense(Scope.CANDIDATE), denseCandidate, candidates, candidateDense));
    }
    if (hasContext) {
      inputs.add(tensor(InputNames.CONTEXT_OF, ElementType.INT32, contextOf, candidates));
    }
    return inputs;
  }

  private static void add(List<HostTensor> inputs, ScopeBuffers scope, int rows) {
    if (scope.width() > 0) {
      inputs.add(tensor(scope.slotsName(), ElementType.INT32, scope.slots(), rows, scope.width()));
    }
    if (scope.weighted()) {
      inputs.add(floats(scope.weightsName(), scope.weights(), rows, scope.width()));
    }
  }

  /** Where the graph's outputs go: probabilities, then logits, [candidates, tasks] each. */
  List<HostTensor> outputs() {
    return List.of(
        floats(GraphInputs.PROBABILITIES, probabilities, candidates, tasks),
        floats(GraphInputs.LOGITS, logits, candidates, tasks));
  }

  private static HostTensor floats(String name, GrowingBuffer buffer, long... shape) {
    return tensor(name, ElementType.FLOAT32, buffer, shape);
  }

  private static HostTensor tensor(
      String name, ElementType type, GrowingBuffer buffer, long... shape) {
    long bytes = type.bytes();
    for (long dimension : shape) {
      bytes *= dimension;
    }
    return new HostTensor(name, type, buffer.view(bytes), shape);
  }

  /** Frees all of it; inputs and outputs must not be used any more. */
  @Override
  public void close() {
    groups.forEach(GroupBuffers::close);
    denseContext.close();
    denseCandidate.close();
    contextOf.close();
    probabilities.close();
    logits.close();
  }
}
