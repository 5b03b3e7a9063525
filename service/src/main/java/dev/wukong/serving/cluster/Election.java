package dev.wukong.serving.cluster;

/**
 * Says which replica is to train. It may be wrong for a while, as when a process stands still: that
 * nothing of two trainers is mixed rests on {@link CommitOrder} alone. Any thread.
 */
interface Election extends AutoCloseable {
  /** Whether this process is to train now. */
  boolean won();

  /** An epoch above that of the one who won before, as far as is known here; 0: not known. */
  long epoch();

  /** Gives up what was won, so that another one need not wait until this one is missed. */
  @Override
  void close();
}
