package dev.wukong.runtime;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** A reference to ONNX Runtime's environment that is never given back. */
final class EnvironmentReference {
  /*
   * ONNX Runtime frees its environment in a JVM shutdown hook of its own, at the same time as other
   * hooks drain requests that still run sessions, or while a training that Ctrl-C ends still makes
   * a step: that is a crash in native code. The environment counts its references, so the hook's
   * release is not the last one once we hold one, too.
   */
  private static final int CREATE_ENV = 3;
  private static final int WARNING = 2;

  private EnvironmentReference() {}

  /**
   * Takes one.
   *
   * @return the environment
   * @throws IllegalStateException if the library gives none
   */
  static MemorySegment take(OrtTable table) {
    MethodHandle create =
        table.function(
            CREATE_ENV,
            FunctionDescriptor.of(
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment environment = arena.allocate(ValueLayout.ADDRESS);
      MemorySegment status =
          (MemorySegment) create.invokeExact(WARNING, arena.allocateFrom("wukong"), environment);
      if (status.address() != 0) {
        throw new IllegalStateException("ONNX Runtime gave no reference to its environment");
      }
      return environment.get(ValueLayout.ADDRESS, 0);
    } catch (Throwable e) {
      throw NativeFunction.failed("CreateEnv", e);
    }
  }
}
