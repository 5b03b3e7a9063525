package dev.wukong.runtime.device;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.wukong.runtime.NativeFunction;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The functions of CUDA's runtime that are used here, of version 12 or 13. Any thread; each call
 * concerns the device that the calling thread has chosen.
 */
final class CudaLibrary {
  private static final String NAME = "libcudart.so";
  private static final List<String> VERSIONS = List.of(NAME + ".13", NAME + ".12");

  private final SymbolLookup symbols;
  private final MethodHandle errorString;
  private final MethodHandle lastError;
  private final MethodHandle setDevice;
  private final MethodHandle deviceCount;
  private final MethodHandle busId;
  private final MethodHandle memory;
  private final MethodHandle malloc;
  private final MethodHandle free;
  private final MethodHandle memset;
  private final MethodHandle hostAlloc;
  private final MethodHandle freeHost;
  private final MethodHandle priorities;
  private final MethodHandle streamCreate;
  private final MethodHandle streamDestroy;
  private final MethodHandle streamSynchronize;
  private final MethodHandle copyAsync;
  private final MethodHandle memsetAsync;
  private final MethodHandle beginCapture;
  private final MethodHandle endCapture;
  private final MethodHandle instantiate;
  private final MethodHandle launch;
  private final MethodHandle execDestroy;
  private final MethodHandle graphDestroy;

  /** A call that CUDA refused. */
  static final class CudaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** {@code cudaErrorMemoryAllocation}. */
    static final int MEMORY = 2;

    private final int code;

    CudaException(String call, int code, String reason) {
      super("%s: %s (CUDA failure %d)".formatted(call, reason, code));
      this.code = code;
    }

    int code() {
      return code;
    }
  }

  /** Free and all bytes of a device. */
  record Memory(long free, long total) {}

  /**
   * The functions that {@code symbols} finds.
   *
   * @throws java.util.NoSuchElementException naming one that it lacks
   */
  CudaLibrary(SymbolLookup symbols) {
    this.symbols = symbols;
    errorString = handle("cudaGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    lastError = call("cudaGetLastError");
    setDevice = call("cudaSetDevice", JAVA_INT);
    deviceCount = call("cudaGetDeviceCount", ADDRESS);
    busId = call("cudaDeviceGetPCIBusId", ADDRESS, JAVA_INT, JAVA_INT);
    memory = call("cudaMemGetInfo", ADDRESS, ADDRESS);
    malloc = call("cudaMalloc", ADDRESS, JAVA_LONG);
    free = call("cudaFree", ADDRESS);
    memset = call("cudaMemset", ADDRESS, JAVA_INT, JAVA_LONG);
    hostAlloc = call("cudaHostAlloc", ADDRESS, JAVA_LONG, JAVA_INT);
    freeHost = call("cudaFreeHost", ADDRESS);
    priorities = call("cudaDeviceGetStreamPriorityRange", ADDRESS, ADDRESS);
    streamCreate = call("cudaStreamCreateWithPriority", ADDRESS, JAVA_INT, JAVA_INT);
    streamDestroy = call("cudaStreamDestroy", ADDRESS);
    streamSynchronize = call("cudaStreamSynchronize", ADDRESS);
    copyAsync = call("cudaMemcpyAsync", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS);
    memsetAsync = call("cudaMemsetAsync", ADDRESS, JAVA_INT, JAVA_LONG, ADDRESS);
    beginCapture = call("cudaStreamBeginCapture", ADDRESS, JAVA_INT);
    endCapture = call("cudaStreamEndCapture", ADDRESS, ADDRESS);
    instantiate = call("cudaGraphInstantiateWithFlags", ADDRESS, ADDRESS, JAVA_LONG);
    launch = call("cudaGraphLaunch", ADDRESS, ADDRESS);
    execDestroy = call("cudaGraphExecDestroy", ADDRESS);
    graphDestroy = call("cudaGraphDestroy", ADDRESS);
  }

  /**
   * The library that this process has loaded, as ONNX Runtime's CUDA provider does, or can load.
   *
   * @return empty where there is none
   */
  static Optional<CudaLibrary> find() {
    Set<String> places = new LinkedHashSet<>(mapped());
    places.addAll(VERSIONS);
    for (String place : places) {
      Optional<SymbolLookup> library = load(place);
      if (library.isPresent()) {
        return library.map(CudaLibrary::new);
      }
    }
    return Optional.empty();
  }

  @SuppressWarnings("restricted") // The library whose functions these are.
  private static Optional<SymbolLookup> load(String place) {
    try {
      return Optional.of(SymbolLookup.libraryLookup(place, Arena.global()));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // Not there.
    }
  }

  /** Where this process has it loaded from. */
  private static List<String> mapped() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines
          .map(line -> line.substring(line.lastIndexOf(' ') + 1))
          .filter(path -> path.startsWith("/") && path.contains("/" + NAME))
          .distinct()
          .toList();
    } catch (IOException e) {
      return List.of(); // No Linux: by name, then.
    }
  }

  private MethodHandle call(String name, MemoryLayout... arguments) {
    return handle(name, FunctionDescriptor.of(JAVA_INT, arguments));
  }

  @SuppressWarnings("restricted") // Signatures that NVIDIA publishes.
  private MethodHandle handle(String name, FunctionDescriptor signature) {
    return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), signature);
  }

  /** One call. */
  private interface Call {
    int run() throws Throwable;
  }

  private void check(String name, Call call) {
    try {
      int code = call.run();
      if (code != 0) {
        int _ = (int) lastError.invokeExact(); // Or the next call would report it once more.
        throw new CudaException(name, code, text(code));
      }
    } catch (Throwable e) {
      throw NativeFunction.failed(name, e);
    }
  }

  @SuppressWarnings("restricted") // A text of the library's, which ends with 0.
  private String text(int code) throws Throwable {
    MemorySegment text = (MemorySegment) errorString.invokeExact(code);
    return text.address() == 0 ? "?" : text.reinterpret(Long.MAX_VALUE).getString(0);
  }

  private static MemorySegment at(long address) {
    return MemorySegment.ofAddress(address);
  }

  /** Chooses the device of the calling thread. */
  void choose(int device) {
    check("cudaSetDevice", () -> (int) setDevice.invokeExact(device));
  }

  int devices() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      check("cudaGetDeviceCount", () -> (int) deviceCount.invokeExact(count));
      return count.get(JAVA_INT, 0);
    }
  }

  String busId(int device) {
    int length = 32;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(length);
      check("cudaDeviceGetPCIBusId", () -> (int) busId.invokeExact(text, length, device));
      return text.getString(0);
    }
  }

  Memory memory() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment unused = arena.allocate(JAVA_LONG);
      MemorySegment total = arena.allocate(JAVA_LONG);
      check("cudaMemGetInfo", () -> (int) memory.invokeExact(unused, total));
      return new Memory(unused.get(JAVA_LONG, 0), total.get(JAVA_LONG, 0));
    }
  }

  long allocate(long bytes) {
    long address = made("cudaMalloc", to -> (int) malloc.invokeExact(to, bytes));
    check("cudaMemset", () -> (int) memset.invokeExact(at(address), 0, bytes));
    return address;
  }

  void free(long address) {
    check("cudaFree", () -> (int) free.invokeExact(at(address)));
  }

  /** Page-locked memory, for every device. */
  long allocateHost(long bytes) {
    int portable = 1;
    return made("cudaHostAlloc", to -> (int) hostAlloc.invokeExact(to, bytes, portable));
  }

  void freeHost(long address) {
    check("cudaFreeHost", () -> (int) freeHost.invokeExact(at(address)));
  }

  /** A stream that waits for no other. */
  long stream(Accelerator.Priority priority) {
    int level;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment least = arena.allocate(JAVA_INT);
      MemorySegment greatest = arena.allocate(JAVA_INT);
      check(
          "cudaDeviceGetStreamPriorityRange", () -> (int) priorities.invokeExact(least, greatest));
      level =
          switch (priority) {
            case HIGH -> greatest.get(JAVA_INT, 0);
            case LOW -> least.get(JAVA_INT, 0);
          };
    }
    int nonBlocking = 1;
    return made(
        "cudaStreamCreateWithPriority",
        to -> (int) streamCreate.invokeExact(to, nonBlocking, level));
  }

  void destroyStream(long stream) {
    check("cudaStreamDestroy", () -> (int) streamDestroy.invokeExact(at(stream)));
  }

  void await(long stream) {
    check("cudaStreamSynchronize", () -> (int) streamSynchronize.invokeExact(at(stream)));
  }

  void toDevice(long to, MemorySegment from, long bytes, long stream) {
    copy(at(to), from, bytes, 1, stream);
  }

  void toHost(MemorySegment to, long from, long bytes, long stream) {
    copy(to, at(from), bytes, 2, stream);
  }

  private void copy(MemorySegment to, MemorySegment from, long bytes, int kind, long stream) {
    check("cudaMemcpyAsync", () -> (int) copyAsync.invokeExact(to, from, bytes, kind, at(stream)));
  }

  void zero(long address, long bytes, long stream) {
    check(
        "cudaMemsetAsync", () -> (int) memsetAsync.invokeExact(at(address), 0, bytes, at(stream)));
  }

  /**
   * Begins to record what this thread gives to {@code stream}. Of this thread alone: others may
   * allocate meanwhile, which a recording cannot hold.
   */
  void beginCapture(long stream) {
    int ofThread = 1;
    check("cudaStreamBeginCapture", () -> (int) beginCapture.invokeExact(at(stream), ofThread));
  }

  /** Ends it; the graph is to be destroyed. */
  long endCapture(long stream) {
    return made("cudaStreamEndCapture", to -> (int) endCapture.invokeExact(at(stream), to));
  }

  /** A graph that can be launched, to be destroyed. */
  long instantiate(long graph) {
    return made("cudaGraphInstantiate", to -> (int) instantiate.invokeExact(to, at(graph), 0L));
  }

  void launch(long executable, long stream) {
    check("cudaGraphLaunch", () -> (int) launch.invokeExact(at(executable), at(stream)));
  }

  void destroyExecutable(long executable) {
    check("cudaGraphExecDestroy", () -> (int) execDestroy.invokeExact(at(executable)));
  }

  void destroyGraph(long graph) {
    check("cudaGraphDestroy", () -> (int) graphDestroy.invokeExact(at(graph)));
  }

  /** A call that writes an address to where it is told. */
  private interface Maker {
    int run(MemorySegment to) throws Throwable;
  }

  private long made(String name, Maker maker) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = arena.allocate(ADDRESS);
      check(name, () -> maker.run(to));
      return to.get(ADDRESS, 0).address();
    }
  }
}
