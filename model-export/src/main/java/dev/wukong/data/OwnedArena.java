package dev.wukong.data;

import java.io.IOException;
import java.lang.foreign.Arena;

/** A shared arena that what is opened in it owns, and closes. */
public final class OwnedArena {
  private OwnedArena() {}

  /** Opens something in an arena. */
  @FunctionalInterface
  public interface Opening<T> {
    T in(Arena arena) throws IOException;
  }

  /**
   * Opens an owner. Where that fails the arena is closed, also after an error such as too little
   * memory: who tries again would map the same files once more.
   */
  @SuppressWarnings("MustBeClosedChecker") // Its owner closes it.
  public static <T> T open(Opening<T> opening) throws IOException {
    Arena arena = Arena.ofShared();
    boolean open = false;
    try {
      T owner = opening.in(arena);
      open = true;
      return owner;
    } finally {
      if (!open) {
        arena.close();
      }
    }
  }
}
