package dev.wukong.serving.inference;

/** A tensor or its name is wrong; the message is for the caller. */
final class BadInference extends RuntimeException {
  BadInference(String message) {
    super(message, null, false, false);
  }
}
