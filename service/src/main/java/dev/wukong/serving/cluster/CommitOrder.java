package dev.wukong.serving.cluster;

import dev.wukong.serving.embedding.RowMirror;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.ByteBuffer;

/**
 * Which commits of a model have happened, by the topic of commits: a function of what stands there
 * before, so that all who read it say the same, whoever else writes to it meanwhile. A commit
 * happens where its epoch is the highest that has begun, and it follows the one before.
 *
 * @param next the offset of the record to be read next
 * @param epoch the highest that has begun; 0: none has
 * @param sequence of the last commit; 0: there was none
 */
record CommitOrder(long next, long epoch, long sequence) {
  /** Nothing was read. */
  static final CommitOrder NONE = new CommitOrder(0, 0, 0);

  private static final long KEY = 2;
  private static final int BYTES = 3 * Long.BYTES;

  /** What a record means. */
  enum Meaning {
    /** It is about another model. */
    OTHER,
    /** Somebody has begun to train. */
    BEGUN,
    /** A commit has happened. */
    HAPPENED,
    /** It is of one who does not train any more, and nothing. */
    STALE,
    /** A commit is missing before it. */
    GAP
  }

  /** What {@code record} means, of {@code model}. */
  Meaning of(String model, CommitRecord record) {
    if (!record.model().equals(model) || record.shard() != 0) {
      return Meaning.OTHER;
    }
    return switch (record) {
      case CommitRecord.Begun begun -> begun.epoch() > epoch ? Meaning.BEGUN : Meaning.STALE;
      case CommitRecord.Made made -> {
        if (made.epoch() < epoch || made.sequence() <= sequence) {
          yield Meaning.STALE;
        }
        yield made.epoch() == epoch && made.sequence() == sequence + 1
            ? Meaning.HAPPENED
            : Meaning.GAP;
      }
    };
  }

  /** After the record at {@code offset}, of this meaning. */
  CommitOrder after(long offset, CommitRecord record, Meaning meaning) {
    return switch (meaning) {
      case OTHER, STALE, GAP -> new CommitOrder(offset + 1, epoch, sequence);
      case BEGUN -> new CommitOrder(offset + 1, record.epoch(), sequence);
      case HAPPENED -> new CommitOrder(offset + 1, epoch, sequence + 1);
    };
  }

  /** The change that remembers it with the last commit. */
  StateChange put() {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).putLong(next).putLong(epoch).putLong(sequence);
    return new StateChange.Put(StateKind.CURSOR, KEY, bytes.array());
  }

  /** That of the last commit that {@code store} has of {@code model}. */
  static CommitOrder read(StateStore store, String model) {
    byte[] bytes =
        store.state(new RowsView(model, 1, 0), StateKind.CURSOR, new long[] {KEY}).getFirst();
    return bytes == null ? NONE : of(bytes);
  }

  /** That of the last commit whose rows {@code mirror} has. */
  static CommitOrder read(RowMirror mirror) {
    return of(mirror.state(StateKind.CURSOR, KEY));
  }

  /** What {@link #put} has put. */
  private static CommitOrder of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new CommitException("which commit was the last is damaged in the store");
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return new CommitOrder(in.getLong(), in.getLong(), in.getLong());
  }
}
