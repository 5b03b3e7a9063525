package dev.wukong.serving.embedding;

/** What became of a row that was asked for. */
public enum RowFate {
  /** It was read. */
  FOUND,
  /** There is none. */
  ABSENT,
  /** Whether there is one is not known: what holds it failed, or did not answer in time. */
  UNREAD
}
