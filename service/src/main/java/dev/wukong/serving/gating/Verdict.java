package dev.wukong.serving.gating;

/** What the figures say of what was learned since the last promotion. */
public sealed interface Verdict {
  /** In words. */
  String reason();

  /** It is no worse than the healthy state. */
  record Good(String reason) implements Verdict {}

  /** Nothing can be said yet. */
  record Open(String reason) implements Verdict {}

  /** It is worse, or cannot be served. */
  record Bad(String reason) implements Verdict {}

  /** The labels are not such as any state expected: nothing is to be learned from them. */
  record Strange(String reason) implements Verdict {}
}
