package dev.wukong.runtime;

import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** The process's own environment variables, as native libraries read them. */
final class NativeEnvironment {
  private static final System.Logger log = System.getLogger(NativeEnvironment.class.getName());

  private static final FunctionDescriptor SIGNATURE =
      FunctionDescriptor.of(
          ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);

  private NativeEnvironment() {}

  /**
   * Sets a variable where it is not set yet; says so in the log where the platform cannot. Java's
   * own view of the environment does not change. Not safe while another thread reads the
   * environment natively, so it is called before native libraries are loaded.
   */
  static void setIfAbsent(String name, String value) {
    if (System.getenv(name) != null) {
      return;
    }
    Optional<MethodHandle> setenv = NativeFunction.find("setenv", SIGNATURE);
    if (setenv.isEmpty()) {
      log.log(
          Level.WARNING,
          "cannot set {0}: this platform has no setenv; set it before starting the process",
          name);
      return;
    }
    MethodHandle call = setenv.get();
    try (Arena arena = Arena.ofConfined()) {
      int result = (int) call.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 0);
      if (result != 0) {
        throw new IllegalStateException("setenv(%s) failed with %d".formatted(name, result));
      }
    } catch (Throwable e) {
      throw NativeFunction.failed("setenv(%s)".formatted(name), e);
    }
  }
}
