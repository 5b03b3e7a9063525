package dev.wukong.serving.hosting;

/** A graph could not be loaded or run; the message says what was tried. */
public final class EngineException extends RuntimeException {
  EngineException(String message) {
    super(message);
  }

  EngineException(String message, Throwable cause) {
    super(message, cause);
  }
}
