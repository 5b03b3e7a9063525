package dev.wukong.serving.embedding;

/** A change of what training remembers beside the rows of a bundle. */
public sealed interface StateChange {
  /** Whose memory of what changes. */
  StateKind kind();

  /** It has this value from now on. */
  @SuppressWarnings("ArrayRecordComponent") // On its way to disk, never compared.
  record Put(StateKind kind, long key, byte[] value) implements StateChange {}

  /** It has none any more. */
  record Remove(StateKind kind, long key) implements StateChange {}

  /** Nothing with a key below {@code end}, which is not negative, has any more. */
  record RemoveBelow(StateKind kind, long end) implements StateChange {}

  /** Nothing of this kind has any more. */
  record Clear(StateKind kind) implements StateChange {}
}
