package dev.wukong.serving.cluster;

import java.util.function.BooleanSupplier;

/** One that this replica never wins. */
record NoElection() implements Election {
  @Override
  public void start(BooleanSupplier ready) {}

  @Override
  public boolean won() {
    return false;
  }

  @Override
  public long epoch() {
    return 0;
  }

  @Override
  public void close() {}
}
