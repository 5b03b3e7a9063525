package dev.wukong.serving.events;

import org.jspecify.annotations.Nullable;

/** Events cannot be written, or read. */
public final class EventLogException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With the reason for people. */
  public EventLogException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
