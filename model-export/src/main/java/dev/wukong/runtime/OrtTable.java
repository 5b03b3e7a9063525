package dev.wukong.runtime;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * ONNX Runtime's C interface: a table of function pointers, which only ever grows at its end, so
 * that the place of a function is part of the published interface. Any thread.
 */
public final class OrtTable {
  /** The oldest version of the interface that has all functions that are used here. */
  private static final int VERSION = 22;

  private static final int GET_API = 0;

  private final MemorySegment table;

  private OrtTable(MemorySegment table) {
    this.table = table;
  }

  /**
   * The table of the library that is loaded.
   *
   * @throws IllegalStateException if it lacks the interface
   */
  @SuppressWarnings("restricted") // Calls of C functions whose signatures are published.
  static OrtTable loaded() {
    MemorySegment base =
        SymbolLookup.loaderLookup()
            .find("OrtGetApiBase")
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "the ONNX Runtime library has no symbol OrtGetApiBase; is"
                            + " onnxruntime.native.path right?"));
    Linker linker = Linker.nativeLinker();
    try {
      MethodHandle getBase =
          linker.downcallHandle(base, FunctionDescriptor.of(ValueLayout.ADDRESS));
      MemorySegment apiBase = (MemorySegment) getBase.invokeExact();
      MethodHandle getApi =
          linker.downcallHandle(
              pointer(apiBase, GET_API),
              FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
      MemorySegment api = (MemorySegment) getApi.invokeExact(VERSION);
      if (api.address() == 0) {
        throw new IllegalStateException(
            "the ONNX Runtime library does not know version %d of its interface"
                .formatted(VERSION));
      }
      return new OrtTable(api);
    } catch (Throwable e) {
      throw NativeFunction.failed("OrtGetApiBase", e);
    }
  }

  /**
   * The function at {@code place}.
   *
   * @param signature as the library declares it: a wrong one is undefined behaviour
   */
  @SuppressWarnings("restricted") // Callers state signatures that are published.
  public MethodHandle function(int place, FunctionDescriptor signature) {
    return Linker.nativeLinker().downcallHandle(pointer(table, place), signature);
  }

  @SuppressWarnings("restricted") // The table has more entries than any place used here.
  private static MemorySegment pointer(MemorySegment table, int place) {
    long bytes = (place + 1) * ValueLayout.ADDRESS.byteSize();
    return table.reinterpret(bytes).getAtIndex(ValueLayout.ADDRESS, place);
  }
}
