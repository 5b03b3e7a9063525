package dev.wukong.data;

import java.lang.foreign.Arena;

/** A shared arena that what is opened in it owns, and closes. */
public final class OwnedArena {
  private OwnedArena() {}

  /** Opens something in an arena; {@code E} is how that may fail. */
  @FunctionalInterface
  public interface Opening<T, E extends Exception> {
    T in(Arena arena) throws E;
  }

  /**
   * Opens an owner. Where that fails the arena is closed, also after an error such as too little
   * memory: who tries again would map the same files once more.
   */
  @SuppressWarnings("MustBeClosedChecker") // Its owner closes it.
  public static <T, E extends Exception> T open(Opening<T, E> opening) throws E {
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
