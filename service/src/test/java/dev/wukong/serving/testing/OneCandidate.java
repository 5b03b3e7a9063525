package dev.wukong.serving.testing;

import dev.wukong.serving.batching.PartInputs;

/** A candidate without inputs, for models that look at none. */
public record OneCandidate() implements PartInputs {
  @Override
  public int candidates() {
    return 1;
  }

  @Override
  public void recycle() {}
}
