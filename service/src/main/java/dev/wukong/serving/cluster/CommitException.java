package dev.wukong.serving.cluster;

/** A commit that came from the brokers is not what was committed, or is not there. */
class CommitException extends RuntimeException {
  private static final long serialVersionUID = 1;

  CommitException(String message) {
    super(message);
  }

  CommitException(String message, Throwable cause) {
    super(message, cause);
  }
}
