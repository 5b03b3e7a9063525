package dev.wukong.runtime;

import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** The process's own environment variables, as native libraries read them. */
final class NativeEnvironment {
  private static final System.Logger log = System.getLogger(NativeEnvironment.class.getName());

  private NativeEnvironment() {}

  /**
   * Sets a variable where it is not set yet; says so in the log where the platform cannot. Java's
   * own view of the environment does not change. Not safe while another thread reads the
   * environment natively, so it is called before native libraries are loaded.
   */
  @SuppressWarnings("restricted") // One call of a C function whose signature is known.
  static void setIfAbsent(String name, String value) {
    if (System.getenv(name) != null) {
      return;
    }
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> setenv = linker.defaultLookup().find("setenv");
    if (setenv.isEmpty()) {
      log.log(
          Level.WARNING,
          "cannot set {0}: this platform has no setenv; set it before starting the process",
          name);
      return;
    }
    MethodHandle call =
        linker.downcallHandle(
            setenv.get(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      int result = (int) call.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 0);
      if (result != 0) {
        throw new IllegalStateException("setenv(%s) failed with %d".formatted(name, result));
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("setenv(%s) failed".formatted(name), e);
    }
  }
}
