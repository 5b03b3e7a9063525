package dev.wukong.serving.retraining;

/** What was learned must not be served. */
final class UnfitException extends RuntimeException {
  private static final long serialVersionUID = 1;

  UnfitException(String message) {
    super(message);
  }
}
