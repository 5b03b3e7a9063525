package dev.wukong.serving.hosting;

import dev.wukong.runtime.NativeFunction;
import java.lang.System.Logger.Level;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Lets a thread stand behind others: what it does in the background then takes the processor only
 * where nobody who answers requests wants it.
 */
public final class QuietThread {
  private static final System.Logger log = System.getLogger(QuietThread.class.getName());

  /** This process's threads, a folder each, where the platform is Linux. */
  static final Path TASKS = Path.of("/proc/self/task");

  /** The lowest there is. */
  static final int LOWEST = 19;

  private static final int OF_THREAD = 0;
  private static final int CURRENT = 0;

  private static final FunctionDescriptor SET =
      FunctionDescriptor.of(
          ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
  private static final FunctionDescriptor GET =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);

  private QuietThread() {}

  /**
   * Gives the current thread the lowest priority, for good: the system lets nobody take it back.
   * Does nothing, but says so, where the platform has no such call. (Java's own priorities have no
   * effect on Linux.)
   */
  public static void begin() {
    set(CURRENT, LOWEST);
  }

  /**
   * Lets the thread of that number stand {@code steps} behind the process, whose own priority it
   * was once started with; one that stands further behind stays there.
   */
  static void lower(int thread, int steps) {
    int process = Math.toIntExact(ProcessHandle.current().pid()); // Also its first thread's number.
    int priority = Math.min(of(process) + steps, LOWEST);
    if (of(thread) < priority) {
      set(thread, priority);
    }
  }

  /** From -20, the highest, to 19; of one that has ended, or where nobody can tell: -1. */
  private static int of(int thread) {
    return NativeFunction.find("getpriority", GET)
        .map(
            call -> {
              try {
                return (int) call.invokeExact(OF_THREAD, thread);
              } catch (Throwable e) {
                throw NativeFunction.failed("getpriority", e);
              }
            })
        .orElse(-1);
  }

  private static void set(int thread, int priority) {
    Optional<MethodHandle> setpriority = NativeFunction.find("setpriority", SET);
    if (setpriority.isEmpty()) {
      log.log(
          Level.INFO,
          "this platform has no setpriority: work in the background competes with requests");
      return;
    }
    MethodHandle call = setpriority.get();
    try {
      int result = (int) call.invokeExact(OF_THREAD, thread, priority);
      if (result != 0) {
        log.log(
            Level.INFO,
            "the system refuses a lower priority: work in the background competes with requests");
      }
    } catch (Throwable e) {
      throw NativeFunction.failed("setpriority", e);
    }
  }
}
