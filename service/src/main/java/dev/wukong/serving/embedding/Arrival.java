package dev.wukong.serving.embedding;

/** Whether the rows of a commit are where those who serve read them. */
public enum Arrival {
  /** Not yet. */
  AWAITED,
  /** They are. */
  THERE,
  /** They were so before the bundle was loaded here, which has them. */
  BEFORE
}
