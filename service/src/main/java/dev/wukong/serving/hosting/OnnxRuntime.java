package dev.wukong.serving.hosting;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtLoggingLevel;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** The one way to ONNX Runtime's environment in this process. */
public final class OnnxRuntime {
  /*
   * Two things happen before the first session, each for a reason that shows only later.
   *
   * Telemetry is switched off in the process's environment before the library loads: with it, the
   * library writes files and, on a command line above 4 KB, crashes.
   *
   * ONNX Runtime frees its environment in a JVM shutdown hook of its own, at the same time as ours
   * drain requests that still run sessions. The environment counts its references, so we take one
   * and never give it back: the hook's release is then not the last. OrtApi is a table of function
   * pointers whose order is part of the published interface.
   */
  private static final String NAME = "wukong";
  private static final int API_VERSION = 22;
  private static final int GET_API = 0;
  private static final int CREATE_ENV = 3;
  private static final int WARNING = 2;

  private OnnxRuntime() {}

  private static final class Holder {
    static final OrtEnvironment ENVIRONMENT = create();

    private static OrtEnvironment create() {
      NativeEnvironment.setIfAbsent("ORT_DISABLE_TELEMETRY", "1");
      OrtEnvironment environment =
          OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, NAME);
      keepAlive();
      return environment;
    }
  }

  /** The environment, made on first use; it lives as long as the process. */
  public static OrtEnvironment environment() {
    return Holder.ENVIRONMENT;
  }

  @SuppressWarnings("restricted") // Calls of C functions whose signatures are published.
  private static void keepAlive() {
    Optional<MemorySegment> base = SymbolLookup.loaderLookup().find("OrtGetApiBase");
    if (base.isEmpty()) {
      throw new IllegalStateException(
          "the ONNX Runtime library has no symbol OrtGetApiBase; is onnxruntime.native.path"
              + " right?");
    }
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor getter = FunctionDescriptor.of(ValueLayout.ADDRESS);
    FunctionDescriptor getApi = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    FunctionDescriptor createEnv =
        FunctionDescriptor.of(
            ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle apiBase = linker.downcallHandle(base.get(), getter);
      MemorySegment table = (MemorySegment) apiBase.invokeExact();
      MethodHandle apiOf = linker.downcallHandle(pointer(table, GET_API), getApi);
      MemorySegment api = (MemorySegment) apiOf.invokeExact(API_VERSION);
      MethodHandle create = linker.downcallHandle(pointer(api, CREATE_ENV), createEnv);
      MemorySegment status =
          (MemorySegment)
              create.invokeExact(
                  WARNING, arena.allocateFrom(NAME), arena.allocate(ValueLayout.ADDRESS));
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
