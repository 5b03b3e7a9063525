package dev.wukong.serving.joining;

import dev.wukong.data.EncodedRows;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.events.ScoredVersion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What of a prediction was shown: its exposed candidates as they were scored, in the order of their
 * exposure, and the contexts of these.
 */
record ShownRows(
    PredictionId id,
    ScoredVersion version,
    long encoding,
    List<Context> contexts,
    List<Seen> seen) {
  private static final int FORM = 1;

  /** The context of a candidate that has none. */
  private static final int NONE = -1;

  /**
   * A context.
   *
   * @param index in the request
   * @param row one row
   */
  record Context(int index, EncodedRows row) {}

  /**
   * A candidate.
   *
   * @param position in the request
   * @param context index of its context in the request; {@link #NONE}
   * @param row one row
   * @param probabilities [tasks]
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Seen(int position, int context, EncodedRows row, float[] probabilities) {}

  ShownRows {
    contexts = List.copyOf(contexts);
    seen = List.copyOf(seen);
  }

  /** Nothing yet of {@code request}. */
  static ShownRows none(ScoredRequest request) {
    return new ShownRows(request.id(), request.version(), request.encoding(), List.of(), List.of());
  }

  /** With these candidates of {@code request} also. */
  ShownRows with(ScoredRequest request, List<Integer> positions) {
    List<Context> allContexts = new ArrayList<>(contexts);
    List<Seen> allSeen = new ArrayList<>(seen);
    for (int position : positions) {
      int context = request.context().rows() == 0 ? NONE : request.contextOf()[position];
      if (context != NONE && allContexts.stream().noneMatch(c -> c.index() == context)) {
        allContexts.add(new Context(context, row(request.context(), context)));
      }
      int tasks = request.tasks();
      float[] probabilities =
          Arrays.copyOfRange(request.probabilities(), position * tasks, (position + 1) * tasks);
      allSeen.add(new Seen(position, context, row(request.candidates(), position), probabilities));
    }
    return new ShownRows(id, version, encoding, allContexts, allSeen);
  }

  private static EncodedRows row(EncodedRows rows, int row) {
    int ids = width("ids", rows.ids().length, rows.rows());
    int weights = width("weights", rows.weights().length, rows.rows());
    int dense = width("dense", rows.dense().length, rows.rows());
    return new EncodedRows(
        1,
        Arrays.copyOfRange(rows.ids(), row * ids, (row + 1) * ids),
        Arrays.copyOfRange(rows.weights(), row * weights, (row + 1) * weights),
        Arrays.copyOfRange(rows.dense(), row * dense, (row + 1) * dense));
  }

  private static int width(String what, int length, int rows) {
    if (length % rows != 0) {
      throw new IllegalArgumentException(
          "%s of %d rows are %d, must be as many for each row".formatted(what, rows, length));
    }
    return length / rows;
  }

  /** The candidate at {@code position} of the request of the prediction at {@code scored}. */
  Shown at(long scored, int position) {
    for (Seen candidate : seen) {
      if (candidate.position() == position) {
        EncodedRows context = new EncodedRows(0, new long[0], new float[0], new float[0]);
        for (Context other : contexts) {
          context = other.index() == candidate.context() ? other.row() : context;
        }
        return new Shown(
            scored,
            position,
            id,
            version,
            encoding,
            context,
            candidate.row(),
            candidate.probabilities());
      }
    }
    throw new IllegalStateException(
        "what was shown of the prediction at %d lacks candidate %d".formatted(scored, position));
  }

  byte[] bytes() {
    ValueWriter to = new ValueWriter(FORM);
    to.fixed(id.high());
    to.fixed(id.low());
    to.number(version.bundle());
    to.number(version.epoch());
    to.number(version.dense());
    to.number(version.rows());
    to.fixed(encoding);
    to.number(contexts.size());
    for (Context context : contexts) {
      to.number(context.index());
      write(context.row(), to);
    }
    to.number(seen.size());
    for (Seen candidate : seen) {
      to.number(candidate.position());
      to.number(candidate.context());
      write(candidate.row(), to);
      to.floats(candidate.probabilities());
    }
    return to.bytes();
  }

  private static void write(EncodedRows row, ValueWriter to) {
    to.numbers(row.ids());
    to.floats(row.weights());
    to.floats(row.dense());
  }

  /** What {@link #bytes} made. */
  static ShownRows of(long scored, byte[] bytes) {
    ValueReader from =
        new ValueReader("what was shown of the prediction at " + scored, bytes, FORM);
    PredictionId id = new PredictionId(from.fixed(), from.fixed());
    ScoredVersion version =
        new ScoredVersion(from.number(), from.number(), from.number(), from.number());
    long encoding = from.fixed();
    List<Context> contexts = new ArrayList<>();
    for (int left = from.count(4); left > 0; left--) {
      contexts.add(new Context(from.index(), read(from)));
    }
    List<Seen> seen = new ArrayList<>();
    for (int left = from.count(6); left > 0; left--) {
      seen.add(new Seen(from.index(), (int) from.number(), read(from), from.floats()));
    }
    from.end();
    return new ShownRows(id, version, encoding, contexts, seen);
  }

  private static EncodedRows read(ValueReader from) {
    return new EncodedRows(1, from.numbers(), from.floats(), from.floats());
  }
}
