package dev.wukong.serving.hosting;

import dev.wukong.bundle.BundleException;
import dev.wukong.runtime.DeviceException;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.engine.EngineException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Why a version could not be loaded.
 *
 * @param reason for people, one line
 * @param passing whether it may go away without a change of the bundle: a disk that fails or is
 *     full, a store, memory, a device. What is wrong with the bundle itself stays wrong
 */
record LoadFailure(String reason, boolean passing) {
  /** The failure that {@code thrown} means. */
  static LoadFailure of(Throwable thrown) {
    Throwable cause = thrown;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return new LoadFailure(describe(cause).replaceAll("\\s*\\R\\s*", "; "), passes(cause));
  }

  /** Whether {@code other} says the same, but for numbers such as the size of a growing file. */
  boolean same(LoadFailure other) {
    return passing == other.passing && plain(reason).equals(plain(other.reason));
  }

  private static String plain(String reason) {
    return reason.replaceAll("[0-9]+", "#");
  }

  private static String describe(Throwable thrown) {
    String message = thrown.getMessage();
    if (thrown instanceof OutOfMemoryError) {
      return "not enough memory: " + message;
    }
    boolean speaks =
        thrown instanceof BundleException
            || thrown instanceof DeviceException
            || thrown instanceof EngineException
            || thrown instanceof StoreException
            || thrown instanceof IllegalArgumentException
            || thrown instanceof IllegalStateException;
    return speaks && message != null ? message : thrown.toString();
  }

  private static boolean passes(@Nullable Throwable thrown) {
    return switch (thrown) {
      case null -> false;
      case EngineException e -> e.passing();
      case DeviceException _, StoreException _, UncheckedIOException _, Error _ -> true;
      case BundleException e -> passes(e.getCause());
      case IOException _ -> true;
      default -> passes(thrown.getCause());
    };
  }
}
