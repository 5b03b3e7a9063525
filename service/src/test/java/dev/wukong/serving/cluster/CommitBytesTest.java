package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.hosting.ModelCommit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CommitBytesTest {
  private static byte[] floats(byte[] before, float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(before.length + values.length * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(before);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  static ModelCommit commit() {
    float[] weights = {1, -0.0f, Float.MIN_VALUE};
    Map<String, float[]> dense = new LinkedHashMap<>();
    dense.put("layer", weights);
    dense.put("bias", new float[] {7});
    return new ModelCommit(
        3,
        8,
        List.of(
            new RowCommit.Changes(
                2, new long[] {5, 1L << 50}, new float[] {1, 2, 3, 4}, new long[] {9}),
            new RowCommit.Changes(1, new long[0], new float[0], new long[0])),
        List.of(
            // As the row that serves, with what the optimizer keeps; another; one of none.
            new StateChange.Put(StateKind.OPTIMIZER, 5, floats(new byte[0], 1, 2, 0.5f)),
            new StateChange.Put(StateKind.OPTIMIZER, 1L << 50, floats(new byte[0], 3, 5, 0.5f)),
            new StateChange.Put(StateKind.OPTIMIZER, 77, new byte[0]),
            new StateChange.Put(StateKind.DENSE, 0, floats(new byte[] {4, 0, 1}, weights)),
            new StateChange.Put(StateKind.DENSE, 1, floats(new byte[] {4, 0, 1}, 1, 2, 3)),
            new StateChange.Remove(StateKind.LIFE, 6),
            new StateChange.RemoveBelow(StateKind.JOIN, 1234),
            new StateChange.Clear(StateKind.SIGHTS_EVEN)),
        null,
        dense);
  }

  @Test
  void of_whatWasWritten_isTheSameCommit() {
    ModelCommit commit = commit();
    ModelCommit read = CommitBytes.of(CommitBytes.served(commit), CommitBytes.remembered(commit));
    List<StateChange> state = new ArrayList<>(served(commit, true));
    state.addAll(served(commit, false));
    assertThat(read).usingRecursiveComparison().isEqualTo(with(commit, state));
    assertThat(CommitBytes.ofServed(CommitBytes.served(commit)))
        .usingRecursiveComparison()
        .isEqualTo(with(commit, served(commit, true)));
  }

  private static List<StateChange> served(ModelCommit commit, boolean serves) {
    return commit.state().stream().filter(of -> of.kind().serves() == serves).toList();
  }

  private static ModelCommit with(ModelCommit commit, List<StateChange> state) {
    return new ModelCommit(
        commit.epoch(), commit.dense(), commit.rows(), state, null, commit.weights());
  }

  @Test
  void remembered_rowsAndWeightsThatServe_areNotRepeated() {
    float[] row = new float[64];
    Arrays.fill(row, 1.5f);
    float[] tensor = new float[1000];
    Arrays.fill(tensor, 2.5f);
    ModelCommit commit =
        new ModelCommit(
            1,
            1,
            List.of(new RowCommit.Changes(64, new long[] {5}, row, new long[0])),
            List.of(
                new StateChange.Put(StateKind.OPTIMIZER, 5, floats(floats(new byte[0], row), 1)),
                new StateChange.Put(StateKind.DENSE, 0, floats(new byte[] {1}, tensor))),
            null,
            Map.of("layer", tensor));
    assertThat(size(CommitBytes.remembered(commit))).isLessThan(100);
    int once = (row.length + tensor.length) * Float.BYTES;
    assertThat(size(CommitBytes.served(commit))).isBetween(once, once + 100);
    List<StateChange> state = new ArrayList<>(served(commit, true));
    state.addAll(served(commit, false));
    assertThat(CommitBytes.of(CommitBytes.served(commit), CommitBytes.remembered(commit)))
        .usingRecursiveComparison()
        .isEqualTo(with(commit, state));
  }

  private static int size(List<byte[]> pieces) {
    return pieces.stream().mapToInt(piece -> piece.length).sum();
  }

  @Test
  void of_manyRows_comeInSeveralPieces() {
    SplittableRandom random = new SplittableRandom(1);
    long[] keys = random.longs(20_000, 0, 1L << 60).toArray();
    float[] rows = new float[keys.length * 16];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    ModelCommit commit =
        new ModelCommit(
            1, 1, List.of(new RowCommit.Changes(16, keys, rows, new long[0])), List.of(), null);
    List<byte[]> pieces = CommitBytes.served(commit);
    assertThat(pieces).hasSizeGreaterThan(2);
    assertThat(pieces).allMatch(piece -> piece.length <= Pieces.SIZE);
    assertThat(CommitBytes.of(pieces, CommitBytes.remembered(commit)))
        .usingRecursiveComparison()
        .isEqualTo(commit);
  }

  @Test
  void of_cutShort_isRefused() {
    List<byte[]> served = CommitBytes.served(commit());
    List<byte[]> remembered = CommitBytes.remembered(commit());
    for (int cut = 0; cut < served.getFirst().length; cut++) {
      List<byte[]> part = List.of(Arrays.copyOf(served.getFirst(), cut));
      assertThatThrownBy(() -> CommitBytes.of(part, remembered))
          .isInstanceOf(CommitException.class);
    }
    for (int cut = 0; cut < remembered.getFirst().length; cut++) {
      List<byte[]> part = List.of(Arrays.copyOf(remembered.getFirst(), cut));
      assertThatThrownBy(() -> CommitBytes.of(served, part)).isInstanceOf(CommitException.class);
    }
    assertThatThrownBy(() -> CommitBytes.of(List.of(), remembered))
        .isInstanceOf(CommitException.class);
  }

  /** Whoever wrote it: nothing else is thrown, and no memory is taken for what is not there. */
  @Test
  void of_anyByteChanged_isACommitOrRefused() {
    byte[] served = CommitBytes.served(commit()).getFirst();
    byte[] remembered = CommitBytes.remembered(commit()).getFirst();
    List<Throwable> others = new ArrayList<>();
    int refused = 0;
    for (int at = 0; at < served.length + remembered.length; at++) {
      for (byte flip : new byte[] {1, (byte) 0x80, (byte) 0xFF}) {
        byte[] one = served.clone();
        byte[] other = remembered.clone();
        byte[] changed = at < served.length ? one : other;
        changed[at < served.length ? at : at - served.length] ^= flip;
        try {
          ModelCommit _ = CommitBytes.of(List.of(one), List.of(other));
        } catch (CommitException e) {
          refused++;
        } catch (RuntimeException | Error e) {
          others.add(e);
        }
      }
    }
    assertThat(others).isEmpty();
    assertThat(refused).isGreaterThan(100);
  }
}
