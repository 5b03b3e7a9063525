package dev.wukong.serving.embedding;

import org.jspecify.annotations.Nullable;

/** The row store failed, or holds what it should not. */
public final class StoreException extends RuntimeException {
  StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
