package dev.wukong.serving.cluster;

import java.util.function.BooleanSupplier;

/**
 * Says which replica is to train. It may be wrong for a while, as when a process stands still: that
 * nothing of two trainers is mixed rests on {@link CommitOrder} alone. Any thread.
 */
interface Election extends AutoCloseable {
  /**
   * Begins to stand for election.
   *
   * @param ready whether this process could train now: until then it leaves that to others
   */
  void start(BooleanSupplier ready);

  /** Whether this process is to train now. */
  boolean won();

  /** An epoch above that of the one who won before, as far as is known here; 0: not known. */
  long epoch();

  /** Gives up what was won, so that another one need not wait until this one is missed. */
  @Override
  void close();
}
