package dev.wukong.serving.embedding;

import io.lettuce.core.RedisCommandExecutionException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Why something failed. Where several nodes were asked, a failure says what became of each. */
final class RedisReason {
  /**
   * What the client says of a connection that a node has closed before the client looked: then it
   * has not read why, either.
   */
  private static final String HUNG_UP = "RedisHandshakeHandler not registered";

  private RedisReason() {}

  /** In one line, what a node has answered before all else; of a location never who asks there. */
  static String of(Throwable failure) {
    Throwable cause = answer(failure).orElseGet(() -> last(failure));
    String message = cause.getMessage();
    return message == null
        ? cause.getClass().getSimpleName()
        : message.replaceAll("://[^@\\s]*@", "://").replaceAll("\\s+", " ").strip();
  }

  /** What it comes from, by its own causes alone. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Whether a node has hung up, and nobody knows why: asked again it may say. */
  static boolean isUnsaid(Throwable failure) {
    return answer(failure).isEmpty()
        && all(failure).stream().anyMatch(of -> HUNG_UP.equals(of.getMessage()));
  }

  private static Throwable last(Throwable failure) {
    Throwable cause = cause(failure);
    while (cause.getSuppressed().length > 0) {
      cause = cause(cause.getSuppressed()[0]);
    }
    return cause;
  }

  private static Optional<Throwable> answer(Throwable failure) {
    return all(failure).stream()
        .filter(RedisCommandExecutionException.class::isInstance)
        .findFirst();
  }

  /** It, its causes and what stands beside them, each once. */
  private static List<Throwable> all(Throwable failure) {
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<Throwable> all = new ArrayList<>();
    all.add(failure);
    seen.add(failure);
    for (int i = 0; i < all.size(); i++) {
      Throwable next = all.get(i);
      Throwable cause = next.getCause();
      if (cause != null && seen.add(cause)) {
        all.add(cause);
      }
      for (Throwable beside : next.getSuppressed()) {
        if (seen.add(beside)) {
          all.add(beside);
        }
      }
    }
    return all;
  }
}
