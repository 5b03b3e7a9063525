package dev.wukong.serving.batching;

/** The inputs of some candidates, in memory that others use afterwards. */
public interface PartInputs {
  /** How many candidates. */
  int candidates();

  /** Gives the memory back. Called once, by whoever settles the part. */
  void recycle();
}
