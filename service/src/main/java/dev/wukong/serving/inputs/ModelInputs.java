package dev.wukong.serving.inputs;

import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Scope;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.batching.PartInputs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Everything that a model's graph takes for some candidates: written once, straight from a request,
 * and read by the graph where it lies. One thread at a time.
 */
public final class ModelInputs implements PartInputs, AutoCloseable {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  /** The buffers of one group. */
  private static final class GroupInputs {
    final Group group;
    final GrowingBuffer rows;
    final ScopeInputs context;
    final ScopeInputs candidate;

    /** Distinct rows besides the padding row. */
    int count;

    GroupInputs(InputLayout layout, int g, HostMemory memory) {
      this.group = layout.groups().get(g);
      this.rows = new GrowingBuffer(memory);
      this.context = new ScopeInputs(layout, Scope.CONTEXT, g, memory);
      this.candidate = new ScopeInputs(layout, Scope.CANDIDATE, g, memory);
    }

    ScopeInputs scope(Scope scope) {
      return switch (scope) {
        case CONTEXT -> context;
        case CANDIDATE -> candidate;
      };
    }

    void close() {
      rows.close();
      context.close();
      candidate.close();
    }
  }

  private static final class ScopeInputs {
    final String slotsName;
    final String weightsName;
    final int width;
    final boolean weighted;
    final GrowingBuffer slots;
    final GrowingBuffer weights;

    ScopeInputs(InputLayout layout, Scope scope, int g, HostMemory memory) {
      slots = new GrowingBuffer(memory);
      weights = new GrowingBuffer(memory);
      Group group = layout.groups().get(g);
      slotsName = InputNames.slots(scope, group);
      weightsName = InputNames.weights(scope, group);
      width = layout.slotWidth(scope, g);
      weighted = layout.weighted(scope, g);
    }

    void ensure(int rows) {
      long bytes = (long) rows * width * Integer.BYTES;
      slots.ensure(bytes);
      if (weighted) {
        weights.ensure(bytes);
      }
    }

    void close() {
      slots.close();
      weights.close();
    }
  }

  private final Element rowType;
  private final Consumer<ModelInputs> idle;
  private final List<GroupInputs> groups = new ArrayList<>();
  private final boolean hasContext;
  private final int contextWidth;
  private final int candidateWidth;
  private final GrowingBuffer contextDense;
  private final GrowingBuffer candidateDense;
  private final GrowingBuffer contextOf;
  private int contexts;
  private int candidates;

  /** Empty inputs in ordinary memory. */
  public ModelInputs(InputLayout layout, Element rowType, Consumer<ModelInputs> idle) {
    this(layout, rowType, HostMemory.PLAIN, idle);
  }

  /**
   * Empty inputs.
   *
   * @param rowType FLOAT32, or FLOAT16 where the graph takes its rows in half precision
   * @param memory where they are to lie
   * @param idle takes these inputs when nobody needs what they hold
   */
  public ModelInputs(
      InputLayout layout, Element rowType, HostMemory memory, Consumer<ModelInputs> idle) {
    contextDense = new GrowingBuffer(memory);
    candidateDense = new GrowingBuffer(memory);
    contextOf = new GrowingBuffer(memory);
    this.rowType = rowType;
    this.idle = idle;
    hasContext = layout.schema().hasContext();
    contextWidth = layout.denseWidth(Scope.CONTEXT);
    candidateWidth = layout.denseWidth(Scope.CANDIDATE);
    for (int g = 0; g < layout.groups().size(); g++) {
      groups.add(new GroupInputs(layout, g, memory));
    }
  }

  /** The type of rows. */
  public Element rowType() {
    return rowType;
  }

  @Override
  public int candidates() {
    return candidates;
  }

  @Override
  public void recycle() {
    idle.accept(this);
  }

  /** Makes room for all but the rows; whatever was there is gone. */
  public void begin(int contexts, int candidates) {
    this.contexts = contexts;
    this.candidates = candidates;
    for (GroupInputs group : groups) {
      group.count = 0;
      group.context.ensure(contexts);
      group.candidate.ensure(candidates);
    }
    contextDense.ensure((long) contexts * contextWidth * Float.BYTES);
    candidateDense.ensure((long) candidates * candidateWidth * Float.BYTES);
    contextOf.ensure((long) candidates * Integer.BYTES);
  }

  /** Where the slots of {@code scope} go: [contexts or candidates, slot width]. */
  public IntBuffer slots(Scope scope, int group) {
    ScopeInputs own = groups.get(group).scope(scope);
    return own.slots.view((long) rows(scope) * own.width * Integer.BYTES).asIntBuffer();
  }

  /** Where their weights go, if the group has some there: the same shape. */
  public FloatBuffer weights(Scope scope, int group) {
    ScopeInputs own = groups.get(group).scope(scope);
    return own.weights.view((long) rows(scope) * own.width * Float.BYTES).asFloatBuffer();
  }

  /** Where the numbers of {@code scope} go: [contexts or candidates, dense width]. */
  public FloatBuffer dense(Scope scope) {
    return switch (scope) {
      case CONTEXT ->
          contextDense.view((long) contexts * contextWidth * Float.BYTES).asFloatBuffer();
      case CANDIDATE ->
          candidateDense.view((long) candidates * candidateWidth * Float.BYTES).asFloatBuffer();
    };
  }

  /** Where each candidate's context goes: [candidates]. */
  public IntBuffer contextOf() {
    return contextOf.view((long) candidates * Integer.BYTES).asIntBuffer();
  }

  /** Where {@code count} distinct rows of a group go, after the padding row, which is there. */
  public MemorySegment rows(int group, int count) {
    GroupInputs own = groups.get(group);
    long bytes = rowBytes(own);
    own.count = count;
    own.rows.ensure((count + 1L) * bytes);
    own.rows.segment().asSlice(0, bytes).fill((byte) 0);
    return own.rows.segment();
  }

  private int rows(Scope scope) {
    return switch (scope) {
      case CONTEXT -> contexts;
      case CANDIDATE -> candidates;
    };
  }

  private long rowBytes(GroupInputs group) {
    return (long) group.group.width() * rowType.bytes();
  }

  /**
   * Takes the contents of {@code parts}, one after another. A row that several of them have is
   * there as often: to find it again costs more than to copy it.
   */
  public void join(List<ModelInputs> parts) {
    int allContexts = 0;
    int allCandidates = 0;
    for (ModelInputs part : parts) {
      allContexts += part.contexts;
      allCandidates += part.candidates;
    }
    begin(allContexts, allCandidates);
    for (int g = 0; g < groups.size(); g++) {
      join(g, parts);
    }
    int context = 0;
    int candidate = 0;
    for (ModelInputs part : parts) {
      copy(part.contextDense, contextDense, context, part.contexts, contextWidth * Float.BYTES);
      copy(
          part.candidateDense,
          candidateDense,
          candidate,
          part.candidates,
          candidateWidth * Float.BYTES);
      for (int i = 0; hasContext && i < part.candidates; i++) {
        int of = part.contextOf.segment().getAtIndex(INT, i);
        contextOf.segment().setAtIndex(INT, (long) candidate + i, context + of);
      }
      context += part.contexts;
      candidate += part.candidates;
    }
  }

  private void join(int g, List<ModelInputs> parts) {
    GroupInputs own = groups.get(g);
    int total = 0;
    for (ModelInputs part : parts) {
      total += part.groups.get(g).count;
    }
    MemorySegment rows = rows(g, total);
    long bytes = rowBytes(own);
    int before = 0;
    int context = 0;
    int candidate = 0;
    for (ModelInputs part : parts) {
      GroupInputs other = part.groups.get(g);
      MemorySegment.copy(
          other.rows.segment(), bytes, rows, (before + 1) * bytes, other.count * bytes);
      join(other.context, own.context, part.contexts, context, before);
      join(other.candidate, own.candidate, part.candidates, candidate, before);
      before += other.count;
      context += part.contexts;
      candidate += part.candidates;
    }
  }

  private static void join(ScopeInputs from, ScopeInputs to, int rows, int at, int before) {
    MemorySegment source = from.slots.segment();
    MemorySegment target = to.slots.segment();
    long start = (long) at * to.width;
    for (int i = 0; i < rows * to.width; i++) {
      int slot = source.getAtIndex(INT, i);
      target.setAtIndex(INT, start + i, slot == 0 ? 0 : slot + before);
    }
    if (to.weighted) {
      copy(from.weights, to.weights, at, rows, to.width * Float.BYTES);
    }
  }

  private static void copy(GrowingBuffer from, GrowingBuffer to, int at, int rows, int rowBytes) {
    MemorySegment.copy(
        from.segment(), 0, to.segment(), (long) at * rowBytes, (long) rows * rowBytes);
  }

  /** The graph's inputs, valid until the next change. */
  public List<HostTensor> tensors() {
    List<HostTensor> tensors = new ArrayList<>(4 * groups.size() + 3);
    for (GroupInputs group : groups) {
      tensors.add(
          HostTensor.of(
              InputNames.rows(group.group),
              rowType,
              group.rows,
              group.count + 1,
              group.group.width()));
      add(tensors, group.context, contexts);
      add(tensors, group.candidate, candidates);
    }
    if (contextWidth > 0) {
      tensors.add(floats(InputNames.dense(Scope.CONTEXT), contextDense, contexts, contextWidth));
    }
    if (candidateWidth > 0) {
      tensors.add(
          floats(InputNames.dense(Scope.CANDIDATE), candidateDense, candidates, candidateWidth));
    }
    if (hasContext) {
      tensors.add(HostTensor.of(InputNames.CONTEXT_OF, Element.INT32, contextOf, candidates));
    }
    return tensors;
  }

  private static void add(List<HostTensor> tensors, ScopeInputs scope, int rows) {
    if (scope.width > 0) {
      tensors.add(HostTensor.of(scope.slotsName, Element.INT32, scope.slots, rows, scope.width));
    }
    if (scope.weighted) {
      tensors.add(floats(scope.weightsName, scope.weights, rows, scope.width));
    }
  }

  private static HostTensor floats(String name, GrowingBuffer buffer, int rows, int width) {
    return HostTensor.of(name, Element.FLOAT32, buffer, rows, width);
  }

  /** Frees the memory. */
  @Override
  public void close() {
    groups.forEach(GroupInputs::close);
    contextDense.close();
    candidateDense.close();
    contextOf.close();
  }
}
