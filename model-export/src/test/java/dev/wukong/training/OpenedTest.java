package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OpenedTest {
  private final List<String> closed = new ArrayList<>();

  private AutoCloseable part(String name) {
    return () -> closed.add(name);
  }

  private AutoCloseable stuck(String name) {
    return () -> {
      closed.add(name);
      throw new IllegalArgumentException(name + " is stuck");
    };
  }

  /** Of any kind: memory that does not suffice is no exception. */
  @Test
  void error_afterSomeParts_closesTheseFromTheLast() {
    assertThatThrownBy(
            () -> {
              try (Opened opened = new Opened()) {
                opened.add(part("state"));
                opened.add(part("session"));
                throw new OutOfMemoryError("no more");
              }
            })
        .isInstanceOf(OutOfMemoryError.class);
    assertThat(closed).containsExactly("session", "state");
  }

  @Test
  void moved_keepsThePartsOpen_untilThatIsClosed() {
    Opened kept;
    try (Opened opened = new Opened()) {
      opened.add(part("state"));
      opened.add(part("session"));
      kept = opened.moved();
    }
    assertThat(closed).isEmpty();
    kept.close();
    kept.close();
    assertThat(closed).containsExactly("session", "state");
  }

  @Test
  void close_partsThatFail_closesTheOthersAndSaysSo() {
    Opened opened = new Opened();
    opened.add(stuck("state"));
    opened.add(part("tensors"));
    opened.add(stuck("session"));
    assertThatThrownBy(opened::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("session is stuck")
        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
    assertThat(closed).containsExactly("session", "tensors", "state");
  }
}
