package dev.wukong.serving.embedding;

import dev.wukong.runtime.NativeFunction;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Memory for tables that are read all over: in large pages where the system has them, as each read
 * otherwise misses the processor's list of pages before it misses its caches. Zeroed, and taken
 * from the machine only where it is written. Any thread.
 */
final class MappedMemory {
  private static final System.Logger log = System.getLogger(MappedMemory.class.getName());

  /** Of a large page; less than this is not worth a mapping of its own. */
  static final long LARGE_PAGE = 2 << 20;

  private static final int READ_WRITE = 3;
  private static final int PRIVATE_ANONYMOUS = 0x22;
  private static final int ADVICE_LARGE_PAGES = 14;
  private static final long FAILED = -1;

  private static final MethodHandle MMAP =
      NativeFunction.require(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle MADVISE =
      NativeFunction.require(
          "madvise",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));
  private static final MethodHandle MUNMAP =
      NativeFunction.require(
          "munmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

  private MappedMemory() {}

  /**
   * Memory that lives as long as {@code arena}.
   *
   * @throws OutOfMemoryError if the system gives none
   */
  static MemorySegment allocate(Arena arena, long bytes) {
    if (bytes < LARGE_PAGE) {
      return arena.allocate(bytes, 64);
    }
    long address = map(bytes);
    return adopt(address, bytes, arena);
  }

  @SuppressWarnings("restricted") // The mapping is of this size, and ours until it is unmapped.
  private static MemorySegment adopt(long address, long bytes, Arena arena) {
    return MemorySegment.ofAddress(address)
        .reinterpret(bytes, arena, mapped -> unmap(mapped.address(), bytes));
  }

  private static long map(long bytes) {
    try {
      long address = (long) MMAP.invokeExact(0L, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
      if (address == FAILED) {
        throw new OutOfMemoryError("the system has no %d bytes for rows".formatted(bytes));
      }
      int refused = (int) MADVISE.invokeExact(address, bytes, ADVICE_LARGE_PAGES);
      if (refused != 0) {
        log.log(Level.DEBUG, "the system has no large pages for {0} bytes of rows", bytes);
      }
      return address;
    } catch (Throwable e) {
      throw NativeFunction.failed("mmap", e);
    }
  }

  private static void unmap(long address, long bytes) {
    try {
      int result = (int) MUNMAP.invokeExact(address, bytes);
      if (result != 0) {
        log.log(Level.WARNING, "cannot give {0} bytes of rows back", bytes);
      }
    } catch (Throwable e) {
      throw NativeFunction.failed("munmap", e);
    }
  }
}
