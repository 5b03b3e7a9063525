package dev.wukong.serving.cluster;

import java.util.concurrent.ExecutionException;

/** Says for people why something with the brokers failed. */
final class KafkaReasons {
  private KafkaReasons() {}

  /** The innermost that is known of it. */
  static String of(Throwable problem) {
    Throwable cause = problem;
    while (cause instanceof ExecutionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage();
    return message == null || message.isEmpty() ? cause.getClass().getSimpleName() : message;
  }
}
