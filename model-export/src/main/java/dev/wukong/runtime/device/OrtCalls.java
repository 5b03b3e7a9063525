package dev.wukong.runtime.device;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.wukong.runtime.NativeFunction;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.runtime.OrtTable;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * The functions of ONNX Runtime's C interface that are used here, by their published places in its
 * table. Pointers are the library's own; whoever makes a thing releases it. Any thread.
 */
final class OrtCalls {
  private static final int ALL_OPTIMIZATIONS = 99;
  private static final int DEVICE_ALLOCATOR = 0;
  private static final int DEFAULT_MEMORY = 0;

  // Constants of the class, so that the compiler sees through them.
  private static final OrtTable TABLE = OnnxRuntime.table();
  private static final MethodHandle ERROR_CODE =
      TABLE.function(1, FunctionDescriptor.of(JAVA_INT, ADDRESS));
  private static final MethodHandle ERROR_MESSAGE =
      TABLE.function(2, FunctionDescriptor.of(ADDRESS, ADDRESS));
  private static final MethodHandle RELEASE_STATUS =
      TABLE.function(93, FunctionDescriptor.ofVoid(ADDRESS));
  private static final MethodHandle CREATE_SESSION =
      of(8, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle CREATE_OPTIONS = of(10, ADDRESS);
  private static final MethodHandle OPTIMIZATION = of(23, ADDRESS, JAVA_INT);
  private static final MethodHandle INTRA_THREADS = of(24, ADDRESS, JAVA_INT);
  private static final MethodHandle INTER_THREADS = of(25, ADDRESS, JAVA_INT);
  private static final MethodHandle ENABLE_PROFILING = of(14, ADDRESS, ADDRESS);
  private static final MethodHandle CONFIGURE = of(130, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle FIX_DIMENSION = of(124, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle CREATE_RUN_OPTIONS = of(39, ADDRESS);
  private static final MethodHandle CONFIGURE_RUN = of(165, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle CREATE_MEMORY_INFO =
      of(68, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle CREATE_TENSOR =
      of(49, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS);
  private static final MethodHandle CREATE_BINDING = of(134, ADDRESS, ADDRESS);
  private static final MethodHandle BIND_INPUT = of(136, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle BIND_OUTPUT = of(137, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle RUN = of(133, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle CREATE_CUDA = of(205, ADDRESS);
  private static final MethodHandle UPDATE_CUDA = of(206, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle SET_CUDA = of(263, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle APPEND_CUDA = of(204, ADDRESS, ADDRESS);
  private static final MethodHandle INPUT_COUNT = of(30, ADDRESS, ADDRESS);
  private static final MethodHandle OUTPUT_COUNT = of(31, ADDRESS, ADDRESS);
  private static final MethodHandle INPUT_TYPE = of(33, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle INPUT_NAME = of(36, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle OUTPUT_NAME = of(37, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle TENSOR_INFO = of(55, ADDRESS, ADDRESS);
  private static final MethodHandle ELEMENT_TYPE = of(60, ADDRESS, ADDRESS);
  private static final MethodHandle ALLOCATOR = of(78, ADDRESS);
  private static final MethodHandle ALLOCATOR_FREE = of(76, ADDRESS, ADDRESS);
  private static final MethodHandle END_PROFILING = of(110, ADDRESS, ADDRESS, ADDRESS);

  /** Releases a thing, by what it is. */
  enum Kind {
    MEMORY_INFO(94),
    SESSION(95),
    VALUE(96),
    RUN_OPTIONS(97),
    TYPE_INFO(98),
    SESSION_OPTIONS(100),
    BINDING(135),
    CUDA_OPTIONS(208);

    private final int place;

    Kind(int place) {
      this.place = place;
    }
  }

  private final Map<Kind, MethodHandle> releases = new EnumMap<>(Kind.class);

  private static final OrtCalls CALLS = new OrtCalls();

  private OrtCalls() {
    for (Kind kind : Kind.values()) {
      releases.put(kind, TABLE.function(kind.place, FunctionDescriptor.ofVoid(ADDRESS)));
    }
  }

  /** Those of the loaded library. */
  static OrtCalls get() {
    return CALLS;
  }

  private static MethodHandle of(int place, MemoryLayout... arguments) {
    return TABLE.function(place, FunctionDescriptor.of(ADDRESS, arguments));
  }

  /** One call, which gives a status. */
  private interface Call {
    MemorySegment run() throws Throwable;
  }

  /** Writes what it makes to where it is told. */
  private interface Maker {
    MemorySegment run(MemorySegment to) throws Throwable;
  }

  private void check(String name, Call call) {
    try {
      MemorySegment status = call.run();
      if (status.address() != 0) {
        MemorySegment text = (MemorySegment) ERROR_MESSAGE.invokeExact(status);
        String message = text(text);
        int code = (int) ERROR_CODE.invokeExact(status);
        RELEASE_STATUS.invokeExact(status);
        throw new GraphException(name + ": " + message, code);
      }
    } catch (Throwable e) {
      throw NativeFunction.failed(name, e);
    }
  }

  @SuppressWarnings("restricted") // A text of the library's, which ends with 0.
  private static String text(MemorySegment text) {
    return text.address() == 0 ? "?" : text.reinterpret(Long.MAX_VALUE).getString(0);
  }

  private MemorySegment made(String name, Maker maker) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = arena.allocate(ADDRESS);
      check(name, () -> maker.run(to));
      return to.get(ADDRESS, 0);
    }
  }

  private long counted(String name, Maker maker) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = arena.allocate(JAVA_LONG);
      check(name, () -> maker.run(to));
      return to.get(JAVA_LONG, 0);
    }
  }

  void release(Kind kind, MemorySegment thing) {
    try {
      Objects.requireNonNull(releases.get(kind)).invokeExact(thing);
    } catch (Throwable e) {
      throw NativeFunction.failed("release " + kind, e);
    }
  }

  // Options.

  MemorySegment options(int threads, boolean spin) {
    MemorySegment options =
        made("CreateSessionOptions", to -> (MemorySegment) CREATE_OPTIONS.invokeExact(to));
    check(
        "SetSessionGraphOptimizationLevel",
        () -> (MemorySegment) OPTIMIZATION.invokeExact(options, ALL_OPTIMIZATIONS));
    check(
        "SetIntraOpNumThreads", () -> (MemorySegment) INTRA_THREADS.invokeExact(options, threads));
    check("SetInterOpNumThreads", () -> (MemorySegment) INTER_THREADS.invokeExact(options, 1));
    configure(options, "session.intra_op.allow_spinning", spin ? "1" : "0");
    return options;
  }

  void configure(MemorySegment options, String key, String value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment named = arena.allocateFrom(key);
      MemorySegment set = arena.allocateFrom(value);
      check(
          "AddSessionConfigEntry",
          () -> (MemorySegment) CONFIGURE.invokeExact(options, named, set));
    }
  }

  /** Says how large a dimension is that the model leaves open. */
  void fix(MemorySegment options, String dimension, long size) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment named = arena.allocateFrom(dimension);
      check(
          "AddFreeDimensionOverrideByName",
          () -> (MemorySegment) FIX_DIMENSION.invokeExact(options, named, size));
    }
  }

  void profile(MemorySegment options, String prefix) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(prefix);
      check("EnableProfiling", () -> (MemorySegment) ENABLE_PROFILING.invokeExact(options, path));
    }
  }

  MemorySegment cudaOptions() {
    return made("CreateCUDAProviderOptions", to -> (MemorySegment) CREATE_CUDA.invokeExact(to));
  }

  void set(MemorySegment cuda, String key, String value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment keys = arena.allocate(ADDRESS);
      keys.set(ADDRESS, 0, arena.allocateFrom(key));
      MemorySegment values = arena.allocate(ADDRESS);
      values.set(ADDRESS, 0, arena.allocateFrom(value));
      check(
          "UpdateCUDAProviderOptions " + key,
          () -> (MemorySegment) UPDATE_CUDA.invokeExact(cuda, keys, values, 1L));
    }
  }

  /** Where its kernels go. */
  void setStream(MemorySegment cuda, long stream) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocateFrom("user_compute_stream");
      MemorySegment handle = MemorySegment.ofAddress(stream);
      check(
          "UpdateCUDAProviderOptionsWithValue",
          () -> (MemorySegment) SET_CUDA.invokeExact(cuda, key, handle));
    }
  }

  void append(MemorySegment options, MemorySegment cuda) {
    check(
        "SessionOptionsAppendExecutionProvider_CUDA_V2",
        () -> (MemorySegment) APPEND_CUDA.invokeExact(options, cuda));
  }

  MemorySegment runOptions() {
    return made("CreateRunOptions", to -> (MemorySegment) CREATE_RUN_OPTIONS.invokeExact(to));
  }

  void configureRun(MemorySegment options, String key, String value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment named = arena.allocateFrom(key);
      MemorySegment set = arena.allocateFrom(value);
      check(
          "AddRunConfigEntry",
          () -> (MemorySegment) CONFIGURE_RUN.invokeExact(options, named, set));
    }
  }

  // Sessions.

  MemorySegment session(MemorySegment model, MemorySegment options) {
    return made(
        "CreateSession",
        to ->
            (MemorySegment)
                CREATE_SESSION.invokeExact(
                    OnnxRuntime.nativeEnvironment(), model, model.byteSize(), options, to));
  }

  int inputs(MemorySegment session) {
    return Math.toIntExact(
        counted(
            "SessionGetInputCount", to -> (MemorySegment) INPUT_COUNT.invokeExact(session, to)));
  }

  int outputs(MemorySegment session) {
    return Math.toIntExact(
        counted(
            "SessionGetOutputCount", to -> (MemorySegment) OUTPUT_COUNT.invokeExact(session, to)));
  }

  String inputName(MemorySegment session, long index) {
    return name("SessionGetInputName", INPUT_NAME, session, index);
  }

  String outputName(MemorySegment session, long index) {
    return name("SessionGetOutputName", OUTPUT_NAME, session, index);
  }

  private String name(String call, MethodHandle getter, MemorySegment session, long index) {
    MemorySegment own = allocator();
    return taken(
        own, made(call, to -> (MemorySegment) getter.invokeExact(session, index, own, to)));
  }

  private MemorySegment allocator() {
    return made("GetAllocatorWithDefaultOptions", to -> (MemorySegment) ALLOCATOR.invokeExact(to));
  }

  /** A text that is the caller's now. */
  private String taken(MemorySegment own, MemorySegment text) {
    String name = text(text);
    check("AllocatorFree", () -> (MemorySegment) ALLOCATOR_FREE.invokeExact(own, text));
    return name;
  }

  /** ONNX's number of the type of an input's elements. */
  int inputType(MemorySegment session, long index) {
    MemorySegment info =
        made(
            "SessionGetInputTypeInfo",
            to -> (MemorySegment) INPUT_TYPE.invokeExact(session, index, to));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment tensor =
          made("CastTypeInfoToTensorInfo", to -> (MemorySegment) TENSOR_INFO.invokeExact(info, to));
      if (tensor.address() == 0) {
        return 0; // No tensor.
      }
      MemorySegment type = arena.allocate(JAVA_INT);
      check("GetTensorElementType", () -> (MemorySegment) ELEMENT_TYPE.invokeExact(tensor, type));
      return type.get(JAVA_INT, 0);
    } finally {
      release(Kind.TYPE_INFO, info);
    }
  }

  /** Ends the session's profile; the file that it is in. */
  String endProfiling(MemorySegment session) {
    MemorySegment own = allocator();
    return taken(
        own,
        made(
            "SessionEndProfiling",
            to -> (MemorySegment) END_PROFILING.invokeExact(session, own, to)));
  }

  // Tensors and runs.

  /** Names the memory of a device: {@code Cpu} or {@code Cuda}. */
  MemorySegment memoryInfo(String name, int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment named = arena.allocateFrom(name);
      return made(
          "CreateMemoryInfo",
          to ->
              (MemorySegment)
                  CREATE_MEMORY_INFO.invokeExact(
                      named, DEVICE_ALLOCATOR, device, DEFAULT_MEMORY, to));
    }
  }

  MemorySegment tensor(MemorySegment memory, DeviceBuffer buffer, long[] shape, int type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment dims = arena.allocateFrom(JAVA_LONG, shape);
      MemorySegment data = MemorySegment.ofAddress(buffer.address());
      return made(
          "CreateTensorWithDataAsOrtValue",
          to ->
              (MemorySegment)
                  CREATE_TENSOR.invokeExact(
                      memory, data, buffer.bytes(), dims, (long) shape.length, type, to));
    }
  }

  MemorySegment binding(MemorySegment session) {
    return made("CreateIoBinding", to -> (MemorySegment) CREATE_BINDING.invokeExact(session, to));
  }

  void bindInput(MemorySegment binding, String name, MemorySegment value) {
    bind("BindInput", BIND_INPUT, binding, name, value);
  }

  void bindOutput(MemorySegment binding, String name, MemorySegment value) {
    bind("BindOutput", BIND_OUTPUT, binding, name, value);
  }

  private void bind(
      String call, MethodHandle handle, MemorySegment binding, String name, MemorySegment value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment named = arena.allocateFrom(name);
      check(call, () -> (MemorySegment) handle.invokeExact(binding, named, value));
    }
  }

  void run(MemorySegment session, MemorySegment options, MemorySegment binding) {
    check("Run", () -> (MemorySegment) RUN.invokeExact(session, options, binding));
  }
}
