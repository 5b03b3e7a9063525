package dev.wukong.serving.embedding;

import org.jspecify.annotations.Nullable;

/** The row store failed, or holds what it should not. */
public final class StoreException extends RuntimeException {
  /**
   * A failure.
   *
   * @param message for who runs the service
   * @param cause what the store's own library said; null where it said nothing
   */
  public StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
