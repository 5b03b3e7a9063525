package dev.wukong.serving.gating;

/** What is to become of a commit. */
public sealed interface Decision {
  /** It is kept, and nothing more is visible than before. */
  record Keep() implements Decision {}

  /** It is kept, and what serves is the healthy state from now on. */
  record Hide() implements Decision {}

  /** It becomes visible. */
  record Publish() implements Decision {}

  /** It becomes visible with all before it, and is the healthy state from now on. */
  record Promote() implements Decision {}

  /**
   * All since the healthy state is taken back, whether it was visible or not.
   *
   * @param reason for operators
   */
  record TakeBack(String reason) implements Decision {}
}
