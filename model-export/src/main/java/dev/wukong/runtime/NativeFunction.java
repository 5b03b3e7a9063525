package dev.wukong.runtime;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.NoSuchElementException;
import java.util.Optional;

/** Functions of the C library. Stateless. */
public final class NativeFunction {
  private NativeFunction() {}

  /**
   * The function called {@code name}; empty where the platform has none.
   *
   * @param signature as the C library declares it: a wrong one is undefined behaviour
   */
  @SuppressWarnings("restricted") // Callers state signatures that the C library fixes.
  public static Optional<MethodHandle> find(String name, FunctionDescriptor signature) {
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find(name)
        .map(address -> linker.downcallHandle(address, signature));
  }

  /**
   * As {@link #find}, of a function that every platform of this service has.
   *
   * @throws NoSuchElementException if this one has none
   */
  public static MethodHandle require(String name, FunctionDescriptor signature) {
    return find(name, signature)
        .orElseThrow(() -> new NoSuchElementException("this platform has no " + name));
  }

  /**
   * What to throw where a call threw {@code cause}: Java declares that calls may throw anything,
   * and these throw nothing that is checked.
   *
   * @throws Error if it is one
   */
  public static RuntimeException failed(String call, Throwable cause) {
    return switch (cause) {
      case Error error -> throw error;
      case RuntimeException unchecked -> unchecked;
      default -> new IllegalStateException(call + " failed", cause);
    };
  }
}
