package dev.wukong.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

class NativeFunctionTest {
  private static final FunctionDescriptor INT_OF_INT =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);

  @Test
  void require_functionOfTheLibrary_isCalled() throws Throwable {
    assertThat((int) NativeFunction.require("abs", INT_OF_INT).invokeExact(-7)).isEqualTo(7);
  }

  @Test
  void find_noSuchFunction_isEmpty() {
    assertThat(NativeFunction.find("no_such_function_here", INT_OF_INT)).isEmpty();
    assertThatThrownBy(() -> NativeFunction.require("no_such_function_here", INT_OF_INT))
        .isInstanceOf(NoSuchElementException.class)
        .hasMessage("this platform has no no_such_function_here");
  }

  @Test
  void failed_causesOfAllKinds_wrapsOnlyTheChecked() {
    RuntimeException unchecked = new IllegalArgumentException("x");
    assertThat(NativeFunction.failed("mmap", unchecked)).isSameAs(unchecked);
    OutOfMemoryError error = new OutOfMemoryError("y");
    assertThatThrownBy(() -> NativeFunction.failed("mmap", error)).isSameAs(error);
    IOException checked = new IOException("z");
    assertThat(NativeFunction.failed("mmap", checked))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("mmap failed")
        .hasCause(checked);
  }
}
