package dev.wukong.serving.cluster;

/** One that this replica never wins. */
record NoElection() implements Election {
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
