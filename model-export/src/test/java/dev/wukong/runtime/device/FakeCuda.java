package dev.wukong.runtime.device;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.wukong.runtime.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * CUDA's runtime, made of Java: native functions with the signatures that NVIDIA documents, over
 * ordinary memory, with the rules that the real one has and that are easily broken. One thread at a
 * time.
 */
final class FakeCuda implements AutoCloseable {
  private static final int OK = 0;
  private static final int INVALID_VALUE = 1;
  private static final int MEMORY = 2;
  private static final int INVALID_DEVICE = 101;
  private static final int CAPTURE_INVALIDATED = 901;
  private static final int DEVICES = 2;

  private final Arena arena = Arena.ofShared();
  private final Map<String, MemorySegment> symbols = new HashMap<>();
  private final Accelerator host = Accelerator.of(new Device.Cpu());

  /** By address: what is taken and not given back. */
  final Map<Long, MemorySegment> device = new HashMap<>();

  final Map<Long, MemorySegment> pinned = new HashMap<>();
  final Set<Long> streams = new HashSet<>();
  final Set<Long> graphs = new HashSet<>();
  final Set<Long> executables = new HashSet<>();

  /** What was asked for, in order. */
  final List<String> calls = new ArrayList<>();

  long total = 1 << 20;
  boolean failsToCapture;
  private int chosen = -1;
  private long next = 0x1000;
  private long capturing;
  private int error;

  FakeCuda() {
    symbol("cudaGetErrorString", MethodType.methodType(MemorySegment.class, int.class));
    symbol("cudaGetLastError", MethodType.methodType(int.class));
    symbol("cudaSetDevice", MethodType.methodType(int.class, int.class));
    symbol("cudaGetDeviceCount", MethodType.methodType(int.class, MemorySegment.class));
    symbol(
        "cudaDeviceGetPCIBusId",
        MethodType.methodType(int.class, MemorySegment.class, int.class, int.class));
    symbol(
        "cudaMemGetInfo",
        MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
    symbol("cudaMalloc", MethodType.methodType(int.class, MemorySegment.class, long.class));
    symbol("cudaFree", MethodType.methodType(int.class, MemorySegment.class));
    symbol(
        "cudaMemset", MethodType.methodType(int.class, MemorySegment.class, int.class, long.class));
    symbol(
        "cudaHostAlloc",
        MethodType.methodType(int.class, MemorySegment.class, long.class, int.class));
    symbol("cudaFreeHost", MethodType.methodType(int.class, MemorySegment.class));
    symbol(
        "cudaDeviceGetStreamPriorityRange",
        MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
    symbol(
        "cudaStreamCreateWithPriority",
        MethodType.methodType(int.class, MemorySegment.class, int.class, int.class));
    symbol("cudaStreamDestroy", MethodType.methodType(int.class, MemorySegment.class));
    symbol("cudaStreamSynchronize", MethodType.methodType(int.class, MemorySegment.class));
    symbol(
        "cudaMemcpyAsync",
        MethodType.methodType(
            int.class,
            MemorySegment.class,
            MemorySegment.class,
            long.class,
            int.class,
            MemorySegment.class));
    symbol(
        "cudaMemsetAsync",
        MethodType.methodType(
            int.class, MemorySegment.class, int.class, long.class, MemorySegment.class));
    symbol(
        "cudaStreamBeginCapture", MethodType.methodType(int.class, MemorySegment.class, int.class));
    symbol(
        "cudaStreamEndCapture",
        MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
    symbol(
        "cudaGraphInstantiateWithFlags",
        MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class, long.class));
    symbol(
        "cudaGraphLaunch",
        MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
    symbol("cudaGraphExecDestroy", MethodType.methodType(int.class, MemorySegment.class));
    symbol("cudaGraphDestroy", MethodType.methodType(int.class, MemorySegment.class));
  }

  @SuppressWarnings("restricted") // Functions of this test.
  private void symbol(String name, MethodType type) {
    try {
      MethodHandle method = MethodHandles.lookup().bind(this, name, type);
      MemoryLayout[] arguments =
          type.parameterList().stream().map(FakeCuda::layout).toArray(MemoryLayout[]::new);
      symbols.put(
          name,
          Linker.nativeLinker()
              .upcallStub(
                  method, FunctionDescriptor.of(layout(type.returnType()), arguments), arena));
    } catch (NoSuchMethodException | IllegalAccessException e) {
      throw new LinkageError(name, e);
    }
  }

  private static MemoryLayout layout(Class<?> type) {
    return type == int.class ? JAVA_INT : type == long.class ? JAVA_LONG : ADDRESS;
  }

  SymbolLookup lookup() {
    return name -> java.util.Optional.ofNullable(symbols.get(name));
  }

  private int fail(int code) {
    error = code;
    return code;
  }

  @SuppressWarnings("restricted")
  private static MemorySegment to(MemorySegment pointer) {
    return pointer.reinterpret(8);
  }

  private void put(MemorySegment pointer, long address) {
    to(pointer).set(ADDRESS, 0, MemorySegment.ofAddress(address));
  }

  private long name() {
    next += 0x10;
    return next;
  }

  MemorySegment cudaGetErrorString(int code) {
    return arena.allocateFrom("reason " + code);
  }

  int cudaGetLastError() {
    int last = error;
    error = OK;
    return last;
  }

  int cudaSetDevice(int number) {
    if (number >= DEVICES) {
      return fail(INVALID_DEVICE);
    }
    chosen = number;
    return OK;
  }

  int cudaGetDeviceCount(MemorySegment count) {
    to(count).set(JAVA_INT, 0, DEVICES);
    return OK;
  }

  @SuppressWarnings("restricted")
  int cudaDeviceGetPCIBusId(MemorySegment text, int length, int device) {
    text.reinterpret(length).setString(0, "0000:19:0%d.0".formatted(device));
    return OK;
  }

  int cudaMemGetInfo(MemorySegment unused, MemorySegment all) {
    long used = device.values().stream().mapToLong(MemorySegment::byteSize).sum();
    to(unused).set(JAVA_LONG, 0, total - used);
    to(all).set(JAVA_LONG, 0, total);
    return OK;
  }

  int cudaMalloc(MemorySegment pointer, long bytes) {
    long used = device.values().stream().mapToLong(MemorySegment::byteSize).sum();
    if (used + bytes > total) {
      return fail(MEMORY);
    }
    MemorySegment made = host.allocateHost(bytes);
    made.fill((byte) 0x7f); // As left by whoever had it before.
    device.put(made.address(), made);
    put(pointer, made.address());
    return OK;
  }

  int cudaFree(MemorySegment pointer) {
    MemorySegment made = device.remove(pointer.address());
    if (made == null) {
      return fail(INVALID_VALUE);
    }
    host.freeHost(made);
    return OK;
  }

  int cudaMemset(MemorySegment pointer, int value, long bytes) {
    return cudaMemsetAsync(pointer, value, bytes, MemorySegment.NULL);
  }

  int cudaHostAlloc(MemorySegment pointer, long bytes, int flags) {
    if (flags != 1) {
      return fail(INVALID_VALUE);
    }
    MemorySegment made = host.allocateHost(bytes);
    pinned.put(made.address(), made);
    put(pointer, made.address());
    return OK;
  }

  int cudaFreeHost(MemorySegment pointer) {
    MemorySegment made = pinned.remove(pointer.address());
    if (made == null) {
      return fail(INVALID_VALUE);
    }
    host.freeHost(made);
    return OK;
  }

  /** Smaller numbers go first, as documented. */
  int cudaDeviceGetStreamPriorityRange(MemorySegment least, MemorySegment greatest) {
    to(least).set(JAVA_INT, 0, 0);
    to(greatest).set(JAVA_INT, 0, -5);
    return OK;
  }

  int cudaStreamCreateWithPriority(MemorySegment pointer, int flags, int priority) {
    long stream = name();
    streams.add(stream);
    calls.add("stream of device %d, flags %d, priority %d".formatted(chosen, flags, priority));
    put(pointer, stream);
    return OK;
  }

  int cudaStreamDestroy(MemorySegment stream) {
    return streams.remove(stream.address()) ? OK : fail(INVALID_VALUE);
  }

  int cudaStreamSynchronize(MemorySegment stream) {
    calls.add("synchronize");
    // Not while it is being recorded.
    return streams.contains(stream.address()) && capturing == 0 ? OK : fail(INVALID_VALUE);
  }

  @SuppressWarnings("restricted")
  int cudaMemcpyAsync(
      MemorySegment to, MemorySegment from, long bytes, int kind, MemorySegment stream) {
    boolean known = device.containsKey((kind == 1 ? to : from).address());
    if (!known || (kind != 1 && kind != 2) || !streams.contains(stream.address())) {
      return fail(INVALID_VALUE);
    }
    calls.add((kind == 1 ? "to device " : "to host ") + bytes);
    to.reinterpret(bytes).copyFrom(from.reinterpret(bytes));
    return OK;
  }

  @SuppressWarnings("restricted")
  int cudaMemsetAsync(MemorySegment pointer, int value, long bytes, MemorySegment stream) {
    pointer.reinterpret(bytes).fill((byte) value);
    return OK;
  }

  int cudaStreamBeginCapture(MemorySegment stream, int mode) {
    calls.add("begin capture, mode " + mode);
    capturing = stream.address();
    return OK;
  }

  int cudaStreamEndCapture(MemorySegment stream, MemorySegment pointer) {
    boolean own = capturing == stream.address();
    capturing = 0;
    if (!own || failsToCapture) {
      return fail(CAPTURE_INVALIDATED);
    }
    long graph = name();
    graphs.add(graph);
    put(pointer, graph);
    return OK;
  }

  int cudaGraphInstantiateWithFlags(MemorySegment pointer, MemorySegment graph, long flags) {
    if (!graphs.contains(graph.address()) || flags != 0) {
      return fail(INVALID_VALUE);
    }
    long executable = name();
    executables.add(executable);
    put(pointer, executable);
    return OK;
  }

  int cudaGraphLaunch(MemorySegment executable, MemorySegment stream) {
    calls.add("launch");
    return executables.contains(executable.address()) && streams.contains(stream.address())
        ? OK
        : fail(INVALID_VALUE);
  }

  int cudaGraphExecDestroy(MemorySegment executable) {
    return executables.remove(executable.address()) ? OK : fail(INVALID_VALUE);
  }

  int cudaGraphDestroy(MemorySegment graph) {
    return graphs.remove(graph.address()) ? OK : fail(INVALID_VALUE);
  }

  @Override
  public void close() {
    arena.close();
  }
}
