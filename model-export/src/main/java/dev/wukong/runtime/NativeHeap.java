package dev.wukong.runtime;

import java.lang.System.Logger.Level;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** How the C library manages the memory of native code. */
public final class NativeHeap {
  private static final System.Logger log = System.getLogger(NativeHeap.class.getName());

  private static final int M_MMAP_THRESHOLD = -3;
  private static final int M_ARENA_MAX = -8;

  /** Larger blocks are pages of their own, which go back to the system when they are freed. */
  private static final int LARGE_BYTES = 256 << 10;

  /** Heaps beside the main one, each of which keeps what was freed in it. */
  private static final int ARENAS = 2;

  private NativeHeap() {}

  /**
   * Keeps the memory of a process that loads and closes models for months from growing. Left to
   * itself, glibc raises the size from which blocks are pages of their own to that of the largest
   * it has freed, so that a later model's weights lie among small blocks and cannot be given back;
   * and it has eight heaps a processor. Called before threads that allocate are started. Does
   * nothing on a C library without such a choice.
   */
  public static void giveBackLargeBlocks() {
    Optional<MethodHandle> mallopt =
        NativeFunction.find(
            "mallopt",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    if (mallopt.isEmpty()) {
      log.log(Level.DEBUG, "this platform has no mallopt");
      return;
    }
    set(mallopt.get(), M_MMAP_THRESHOLD, LARGE_BYTES);
    if (System.getenv("MALLOC_ARENA_MAX") == null) {
      set(mallopt.get(), M_ARENA_MAX, ARENAS);
    }
  }

  private static void set(MethodHandle mallopt, int parameter, int value) {
    try {
      int done = (int) mallopt.invokeExact(parameter, value);
      if (done != 1) {
        log.log(Level.INFO, "the C library refuses mallopt({0}, {1})", parameter, value);
      }
    } catch (Throwable e) {
      throw NativeFunction.failed("mallopt", e);
    }
  }
}
