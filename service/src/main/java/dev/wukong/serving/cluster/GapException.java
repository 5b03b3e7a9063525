package dev.wukong.serving.cluster;

/** Commits are missing: from here on nobody can follow but from a checkpoint. */
final class GapException extends CommitException {
  private static final long serialVersionUID = 1;

  /** The offset of the first commit record that is there. */
  private final long first;

  GapException(String message, long first) {
    super(message);
    this.first = first;
  }

  long first() {
    return first;
  }
}
