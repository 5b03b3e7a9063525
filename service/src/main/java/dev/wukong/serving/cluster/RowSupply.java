package dev.wukong.serving.cluster;

import dev.wukong.serving.embedding.Arrival;
import dev.wukong.serving.embedding.MirroredRows;
import dev.wukong.serving.embedding.StateStore;

/** Where a replica that follows has its rows, and what it reads of commits for that. */
sealed interface RowSupply {
  /** Whether it reads all of a commit, so that it could train. */
  boolean whole();

  /** Where the rows of commit {@code sequence} to {@code bundle} are. */
  Arrival arrival(long sequence, long bundle);

  /** Whether a restart helps where commits are missing: it would begin on this side of the gap. */
  boolean restartHelps(GapException gap, CommitOrder order);

  /**
   * That of {@code store}, which begins with what {@code checkpoints} knows where it is its own.
   */
  static RowSupply of(StateStore store, Checkpointed checkpoints) {
    return store instanceof MirroredRows rows ? new Mirrored(rows) : new Own(checkpoints);
  }

  /** Knows whether there is a checkpoint on this side of a gap. */
  @FunctionalInterface
  interface Checkpointed {
    /** Whether a restart would begin with one. */
    boolean helps(GapException gap, CommitOrder order);
  }

  /** In a store of its own: commits bring their rows along. */
  record Own(Checkpointed checkpoints) implements RowSupply {
    @Override
    public boolean whole() {
      return true;
    }

    @Override
    public Arrival arrival(long sequence, long bundle) {
      return Arrival.THERE;
    }

    @Override
    public boolean restartHelps(GapException gap, CommitOrder order) {
      return checkpoints.helps(gap, order);
    }
  }

  /** In Redis, where another replica writes them; it never trains. */
  record Mirrored(MirroredRows rows) implements RowSupply {
    @Override
    public boolean whole() {
      return false;
    }

    @Override
    public Arrival arrival(long sequence, long bundle) {
      return rows.arrival(sequence, bundle);
    }

    @Override
    public boolean restartHelps(GapException gap, CommitOrder order) {
      return rows.mirrored() > order.sequence();
    }
  }
}
