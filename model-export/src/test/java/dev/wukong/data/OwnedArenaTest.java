package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OwnedArenaTest {
  static List<Throwable> failures() {
    return List.of(
        new OutOfMemoryError("a large vocabulary"),
        new IOException("a bad disk"),
        new DataException("a bad file"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void open_thatFails_closesTheArena(Throwable failure) {
    List<Arena> arenas = new ArrayList<>();
    assertThatThrownBy(
            () ->
                OwnedArena.open(
                    arena -> {
                      arenas.add(arena);
                      switch (failure) {
                        case Error e -> throw e;
                        case IOException e -> throw e;
                        default -> throw (RuntimeException) failure;
                      }
                    }))
        .isSameAs(failure);
    assertThat(arenas).singleElement().matches(arena -> !arena.scope().isAlive());
  }

  @Test
  void open_thatSucceeds_leavesTheArenaToItsOwner() throws IOException {
    try (Arena owned = OwnedArena.open(arena -> arena)) {
      assertThat(owned.scope().isAlive()).isTrue();
    }
  }
}
