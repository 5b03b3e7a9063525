package dev.wukong.serving.cluster;

import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.hosting.ModelCommit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A commit as bytes: all that whoever serves needs, that is rows, dense weights and {@link
 * StateKind#serves some} of the memory; and apart from it what only training remembers, which is
 * more. Rows and dense weights that serve as they are trained are not repeated in either. Any
 * thread.
 */
final class CommitBytes {
  private static final int FORMAT = 2;

  private static final int PUT = 1;
  private static final int PUT_ROW = 2;
  private static final int REMOVE = 3;
  private static final int REMOVE_BELOW = 4;
  private static final int CLEAR = 5;
  private static final int PUT_TENSOR = 6;

  private CommitBytes() {}

  /** Where a row stands in a commit. */
  private record RowPlace(RowCommit.Changes changes, int row) {
    /** Whether {@code value} begins with the row, to the bit. */
    boolean begins(byte[] value) {
      int width = changes.width();
      return value.length >= width * Float.BYTES
          && same(value, 0, changes.rows(), row * width, width);
    }

    /** It, and then {@code more}. */
    byte[] with(byte[] more) {
      int width = changes.width();
      ByteBuffer bytes =
          ByteBuffer.allocate(width * Float.BYTES + more.length).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < width; i++) {
        bytes.putInt(Float.floatToRawIntBits(changes.rows()[row * width + i]));
      }
      return bytes.put(more).array();
    }
  }

  /** Whether {@code bytes} have these floats at {@code at}, to the bit. */
  private static boolean same(byte[] bytes, int at, float[] floats, int from, int count) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      if (in.getInt(at + i * Float.BYTES) != Float.floatToRawIntBits(floats[from + i])) {
        return false;
      }
    }
    return true;
  }

  /** The first of {@code tensors} that {@code value} ends with; -1 where there is none. */
  private static int tensor(List<float[]> tensors, byte[] value) {
    for (int i = 0; i < tensors.size(); i++) {
      float[] tensor = tensors.get(i);
      int head = value.length - tensor.length * Float.BYTES;
      if (tensor.length > 0 && head >= 0 && same(value, head, tensor, 0, tensor.length)) {
        return i;
      }
    }
    return -1;
  }

  private static byte[] with(byte[] head, float[] tensor) {
    ByteBuffer bytes =
        ByteBuffer.allocate(head.length + tensor.length * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(head);
    bytes.asFloatBuffer().put(tensor);
    return bytes.array();
  }

  private static Map<Long, RowPlace> places(List<RowCommit.Changes> rows) {
    Map<Long, RowPlace> places = new HashMap<>();
    for (RowCommit.Changes changes : rows) {
      for (int i = 0; i < changes.keys().length; i++) {
        places.put(changes.keys()[i], new RowPlace(changes, i));
      }
    }
    return places;
  }

  /** What whoever serves needs. */
  static List<byte[]> served(ModelCommit commit) {
    Pieces to = new Pieces();
    to.one(FORMAT);
    to.number(commit.epoch());
    to.number(commit.dense());
    to.number(commit.rows().size());
    for (RowCommit.Changes changes : commit.rows()) {
      to.number(changes.width());
      to.number(changes.keys().length);
      to.numbers(changes.keys());
      to.floats(changes.rows());
      to.number(changes.removed().length);
      to.numbers(changes.removed());
    }
    to.number(commit.weights().size());
    commit
        .weights()
        .forEach(
            (name, values) -> {
              to.text(name);
              to.number(values.length);
              to.floats(values);
            });
    state(to, commit, true);
    return to.all();
  }

  /** What only training remembers. */
  static List<byte[]> remembered(ModelCommit commit) {
    Pieces to = new Pieces();
    to.one(FORMAT);
    state(to, commit, false);
    return to.all();
  }

  private static void state(Pieces to, ModelCommit commit, boolean serves) {
    List<StateChange> changes =
        commit.state().stream().filter(of -> of.kind().serves() == serves).toList();
    Map<Long, RowPlace> places = serves ? Map.of() : places(commit.rows());
    List<float[]> tensors = List.copyOf(commit.weights().values());
    to.number(changes.size());
    for (StateChange change : changes) {
      switch (change) {
        case StateChange.Put put -> put(to, put, places, tensors);
        case StateChange.Remove(StateKind kind, long key) -> head(to, REMOVE, kind, key);
        case StateChange.RemoveBelow(StateKind kind, long end) -> head(to, REMOVE_BELOW, kind, end);
        case StateChange.Clear(StateKind kind) -> head(to, CLEAR, kind, 0);
      }
    }
  }

  private static void put(
      Pieces to, StateChange.Put put, Map<Long, RowPlace> places, List<float[]> tensors) {
    byte[] value = put.value();
    RowPlace row = put.kind() == StateKind.OPTIMIZER ? places.get(put.key()) : null;
    int tensor = put.kind() == StateKind.DENSE ? tensor(tensors, value) : -1;
    if (row != null && row.begins(value)) {
      head(to, PUT_ROW, put.kind(), put.key());
      to.bytes(value, row.changes().width() * Float.BYTES);
    } else if (tensor >= 0) {
      int size = value.length - tensors.get(tensor).length * Float.BYTES;
      head(to, PUT_TENSOR, put.kind(), put.key());
      to.number(tensor);
      to.bytes(Arrays.copyOf(value, size));
    } else {
      head(to, PUT, put.kind(), put.key());
      to.bytes(value);
    }
  }

  private static void head(Pieces to, int form, StateKind kind, long key) {
    to.one(form);
    to.one(kind.code());
    to.number(key);
  }

  /**
   * The commit that these pieces are, without a graph; first of its memory what serves.
   *
   * @throws CommitException if they are no commit
   */
  static ModelCommit of(List<byte[]> served, List<byte[]> remembered) {
    ModelCommit commit = ofServed(served);
    PieceReader in = new PieceReader(remembered);
    format(in);
    List<StateChange> state = state(in, commit.rows(), commit.weights());
    end(in);
    return commit.with(state);
  }

  /**
   * The same without what only training remembers.
   *
   * @throws CommitException if they are none
   */
  static ModelCommit ofServed(List<byte[]> served) {
    PieceReader in = new PieceReader(served);
    format(in);
    long epoch = in.longNumber();
    long dense = in.longNumber();
    int groups = in.count(3 * Integer.BYTES);
    List<RowCommit.Changes> rows = new ArrayList<>();
    for (int i = 0; i < groups; i++) {
      rows.add(changes(in));
    }
    int tensors = in.count(2 * Integer.BYTES);
    Map<String, float[]> weights = new LinkedHashMap<>();
    for (int i = 0; i < tensors; i++) {
      String name = in.text();
      weights.put(name, in.floats(in.count(Float.BYTES)));
    }
    List<StateChange> state = state(in, rows, weights);
    end(in);
    return new ModelCommit(epoch, dense, rows, state, null, weights);
  }

  private static RowCommit.Changes changes(PieceReader in) {
    int width = in.number();
    int count = in.count(Long.BYTES);
    if (width < 1) {
      throw PieceReader.damaged("rows have the width " + width);
    }
    long[] keys = in.numbers(count);
    float[] values = in.floats((long) count * width);
    return new RowCommit.Changes(width, keys, values, in.numbers(in.count(Long.BYTES)));
  }

  private static List<StateChange> state(
      PieceReader in, List<RowCommit.Changes> rows, Map<String, float[]> weights) {
    List<float[]> tensors = List.copyOf(weights.values());
    Map<Long, RowPlace> places = places(rows);
    int count = in.count(2 + Long.BYTES);
    List<StateChange> changes = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int form = in.one();
      StateKind kind = kind(in.one());
      long key = in.longNumber();
      changes.add(
          switch (form) {
            case PUT -> new StateChange.Put(kind, key, in.bytes());
            case PUT_ROW -> new StateChange.Put(kind, key, place(places, key).with(in.bytes()));
            case PUT_TENSOR -> {
              int tensor = in.number();
              if (tensor < 0 || tensor >= tensors.size()) {
                throw PieceReader.damaged("there is no tensor " + tensor);
              }
              yield new StateChange.Put(kind, key, with(in.bytes(), tensors.get(tensor)));
            }
            case REMOVE -> new StateChange.Remove(kind, key);
            case REMOVE_BELOW -> new StateChange.RemoveBelow(kind, key);
            case CLEAR -> new StateChange.Clear(kind);
            default -> throw PieceReader.damaged("a change is of form " + form);
          });
    }
    return changes;
  }

  private static RowPlace place(Map<Long, RowPlace> places, long key) {
    @Nullable RowPlace place = places.get(key);
    if (place == null) {
      throw PieceReader.damaged("row %d is remembered and not there".formatted(key));
    }
    return place;
  }

  private static StateKind kind(int code) {
    for (StateKind kind : StateKind.values()) {
      if (kind.code() == code) {
        return kind;
      }
    }
    throw PieceReader.damaged("state is of kind " + code);
  }

  private static void format(PieceReader in) {
    int format = in.one();
    if (format != FORMAT) {
      throw new CommitException(
          "a commit has format %d, this build reads %d".formatted(format, FORMAT));
    }
  }

  private static void end(PieceReader in) {
    if (!in.ended()) {
      throw PieceReader.damaged("it has bytes too many");
    }
  }
}
