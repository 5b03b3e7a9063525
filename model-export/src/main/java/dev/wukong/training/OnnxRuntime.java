package dev.wukong.training;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The one door to ONNX Runtime's environment and session options. Thread-safe. */
public final class OnnxRuntime {
  private static final int API_VERSION = 22;
  private static final int GET_API = 0;
  private static final int CREATE_ENV = 3;
  private static final int WARNING = 2;

  private static final OrtEnvironment ENVIRONMENT = start();

  private OnnxRuntime() {}

  public static OrtEnvironment environment() {
    return ENVIRONMENT;
  }

  /** The library's version. */
  public static String version() {
    return ENVIRONMENT.getVersion();
  }

  /**
   * Options for a session.
   *
   * @param device where it runs
   * @param threads of the session's own pool, the calling thread included
   * @throws DeviceException where the device cannot be used; the message names what is missing
   */
  public static OrtSession.SessionOptions options(Device device, int threads) {
    try {
      OrtSession.SessionOptions options = new OrtSession.SessionOptions();
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      device.configure(options);
      return options;
    } catch (OrtException e) {
      throw new DeviceException("device '" + device + "': " + e.getMessage(), e);
    }
  }

  /*
   * ONNX Runtime 1.29 reports telemetry unless ORT_DISABLE_TELEMETRY is in the environment when its library loads, and crashes when the
   * process's command line is longer than about 4 KB. Java cannot change its own environment, so the C library's setenv does.
   */
  @SuppressWarnings("restricted") // The signature of setenv is fixed by POSIX.
  private static OrtEnvironment start() {
    Linker linker = Linker.nativeLinker();
    MethodHandle setenv =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setenv"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom("ORT_DISABLE_TELEMETRY");
      int _ = (int) setenv.invokeExact(name, arena.allocateFrom("1"), 0);
    } catch (Throwable e) {
      throw new IllegalStateException("the environment cannot be changed", e);
    }
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    keepAlive();
    return environment;
  }

  /*
   * ONNX Runtime frees its environment in a JVM shutdown hook, while a training that Ctrl-C ends still runs its sessions: that is a crash
   * in native code. The environment counts its references, so one more, never given back, keeps it. OrtApi is a table of function
   * pointers whose order is part of the published interface.
   */
  @SuppressWarnings("restricted") // Calls of C functions whose signatures are published.
  private static void keepAlive() {
    Linker linker = Linker.nativeLinker();
    MemorySegment base =
        SymbolLookup.loaderLookup()
            .find("OrtGetApiBase")
            .orElseThrow(
                () -> new IllegalStateException("the ONNX Runtime library lacks OrtGetApiBase"));
    FunctionDescriptor table = FunctionDescriptor.of(ValueLayout.ADDRESS);
    FunctionDescriptor getApi = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    FunctionDescriptor createEnv =
        FunctionDescriptor.of(
            ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle bases = linker.downcallHandle(base, table);
      MemorySegment apis = (MemorySegment) bases.invokeExact();
      MethodHandle apiOf = linker.downcallHandle(entry(apis, GET_API), getApi);
      MemorySegment api = (MemorySegment) apiOf.invokeExact(API_VERSION);
      MethodHandle create = linker.downcallHandle(entry(api, CREATE_ENV), createEnv);
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
  private static MemorySegment entry(MemorySegment table, int index) {
    long bytes = (index + 1) * ValueLayout.ADDRESS.byteSize();
    return table.reinterpret(bytes).getAtIndex(ValueLayout.ADDRESS, index);
  }
}
