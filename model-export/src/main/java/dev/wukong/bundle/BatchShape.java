package dev.wukong.bundle;

/**
 * How many candidates and contexts a run has room for.
 *
 * @param contexts 0 for a model without
 */
public record BatchShape(int candidates, int contexts) {
  /** Whether a run of {@code other} has room in this. */
  public boolean holds(BatchShape other) {
    return candidates >= other.candidates && contexts >= other.contexts;
  }
}
