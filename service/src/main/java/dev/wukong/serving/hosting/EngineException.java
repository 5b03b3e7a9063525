package dev.wukong.serving.hosting;

/**
 * A graph could not be loaded or run; the message says what was tried and, for a device, what is
 * missing.
 */
public final class EngineException extends RuntimeException {
  EngineException(String message) {
    super(message);
  }

  EngineException(String message, Throwable cause) {
    super(message, cause);
  }
}
