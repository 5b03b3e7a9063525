package dev.wukong.serving.hosting;

import dev.wukong.runtime.NativeFunction;
import java.lang.System.Logger.Level;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Lets a thread stand behind all others: what it does in the background then takes the processor
 * only where nobody who answers requests wants it.
 */
public final class QuietThread {
  private static final System.Logger log = System.getLogger(QuietThread.class.getName());

  /** The lowest there is. */
  private static final int LOWEST = 19;

  private static final int OF_THREAD = 0;
  private static final int CURRENT = 0;

  private static final FunctionDescriptor SIGNATURE =
      FunctionDescriptor.of(
          ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);

  private QuietThread() {}

  /**
   * Gives the current thread the lowest priority, for good: the system lets nobody take it back.
   * Does nothing, but says so, where the platform has no such call. (Java's own priorities have no
   * effect on Linux.)
   */
  public static void begin() {
    lower(CURRENT, LOWEST);
  }

  /**
   * Gives the thread of that number, 0 for the current one, a priority from 1 to 19, the lowest.
   */
  static void lower(int thread, int priority) {
    Optional<MethodHandle> setpriority = NativeFunction.find("setpriority", SIGNATURE);
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
