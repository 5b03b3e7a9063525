package dev.wukong.runtime;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** A reference to ONNX Runtime's environment that is never given back. */
final class EnvironmentReference {
  /*
   * ONNX Runtime frees its environment in a JVM shutdown hook of its own, at the same time as other
   * hooks drain requests that still run sessions, or while a training that Ctrl-C ends still makes
   * a step: that is a crash in native code. The environment counts its references, so the hook's
   * release is not the last one once we hold one, too.
   *
   * OrtApi is a table of function pointers whose order is part of the published interface.
   */
  private static final int API_VERSION = 22;
  private static final int GET_API = 0;
  private static final int CREATE_ENV = 3;
  private static final int WARNING = 2;

  private EnvironmentReference() {}

  /**
   * Takes one.
   *
   * @throws IllegalStateException if the loaded library lacks the interface or gives none
   */
  @SuppressWarnings("restricted") // Calls of C functions whose signatures are published.
  static void take() {
    MemorySegment base =
        SymbolLookup.loaderLookup()
            .find("OrtGetApiBase")
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "the ONNX Runtime library has no symbol OrtGetApiBase; is"
                            + " onnxruntime.native.path right?"));
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor getter = FunctionDescriptor.of(ValueLayout.ADDRESS);
    FunctionDescriptor getApi = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    FunctionDescriptor createEnv =
        FunctionDescriptor.of(
            ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle apiBase = linker.downcallHandle(base, getter);
      MemorySegment table = (MemorySegment) apiBase.invokeExact();
      MethodHandle apiOf = linker.downcallHandle(pointer(table, GET_API), getApi);
      MemorySegment api = (MemorySegment) apiOf.invokeExact(API_VERSION);
      if (api.address() == 0) {
        throw new IllegalStateException(
            "the ONNX Runtime library does not know version %d of its interface"
                .formatted(API_VERSION));
      }
      MethodHandle create = linker.downcallHandle(pointer(api, CREATE_ENV), createEnv);
      MemorySegment status =
          (MemorySegment)
              create.invokeExact(
                  WARNING, arena.allocateFrom("wukong"), arena.allocate(ValueLayout.ADDRESS));
      if (status.address() != 0) {
        throw new IllegalStateException("ONNX Runtime gave no reference to its environment");
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("calling ONNX Runtime failed", e);
    }
  }

  @SuppressWarnings("restricted") // The table has more entries than any index used here.
  private static MemorySegment pointer(MemorySegment table, int index) {
    long bytes = (index + 1) * ValueLayout.ADDRESS.byteSize();
    return table.reinterpret(bytes).getAtIndex(ValueLayout.ADDRESS, index);
  }
}
