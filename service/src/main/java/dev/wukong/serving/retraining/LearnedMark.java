package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * How far the training of a bundle has come, written with each commit.
 *
 * @param epoch who trained
 * @param dense how often the dense weights have changed since the bundle
 * @param steps of the optimizers, those before the bundle included
 * @param examples trained on since the bundle
 * @param turnedMs time in the log at which the present period of admission began; 0: not yet
 * @param served how often they had when what serves was published
 * @param visible whether what serves is this; else it is the last healthy state
 * @param golden the probabilities that the bundle's golden rows have by now
 */
@SuppressWarnings("ArrayRecordComponent") // On its way to disk or from it, never compared.
record LearnedMark(
    long epoch,
    long dense,
    long steps,
    long examples,
    long turnedMs,
    long served,
    boolean visible,
    float[] golden) {
  private static final long KEY = 0;
  private static final byte FORMAT = 1;
  private static final int HEADER = 1 + 6 * Long.BYTES + 1;

  /** Nobody has trained. */
  static LearnedMark none(long steps, float[] golden) {
    return new LearnedMark(0, 0, steps, 0, 0, 0, false, golden);
  }

  /** The same where a period of admission has begun. */
  LearnedMark turned(long ms) {
    return new LearnedMark(epoch, dense, steps, examples, ms, served, visible, golden);
  }

  /** The change that remembers it. */
  StateChange put() {
    ByteBuffer bytes = ByteBuffer.allocate(HEADER + golden.length * Float.BYTES);
    bytes
        .put(FORMAT)
        .putLong(epoch)
        .putLong(dense)
        .putLong(steps)
        .putLong(examples)
        .putLong(turnedMs)
        .putLong(served)
        .put((byte) (visible ? 1 : 0));
    bytes.asFloatBuffer().put(golden);
    return new StateChange.Put(StateKind.COMMIT, KEY, bytes.array());
  }

  /**
   * That of the last commit; empty where there was none.
   *
   * @throws IllegalStateException where it is of another build
   */
  static Optional<LearnedMark> read(StateStore store, RowsView view) {
    byte[] value = store.state(view, StateKind.COMMIT, new long[] {KEY}).getFirst();
    if (value == null) {
      return Optional.empty();
    }
    ByteBuffer bytes = ByteBuffer.wrap(value);
    if (value.length < HEADER || bytes.get() != FORMAT) {
      throw new IllegalStateException(
          "what model '%s' version %d has learned was written by another build"
              .formatted(view.model(), view.bundle()));
    }
    long epoch = bytes.getLong();
    long dense = bytes.getLong();
    long steps = bytes.getLong();
    long examples = bytes.getLong();
    long turnedMs = bytes.getLong();
    long served = bytes.getLong();
    boolean visible = bytes.get() != 0;
    float[] golden = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(golden);
    return Optional.of(
        new LearnedMark(epoch, dense, steps, examples, turnedMs, served, visible, golden));
  }
}
