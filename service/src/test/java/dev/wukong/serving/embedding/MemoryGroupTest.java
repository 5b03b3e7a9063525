package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryGroupTest {
  private static final List<String> BOTH =
      List.of("5:cpu,memory:/jobs/7", "2:cpuset:/", "0::/user.slice/a:b.scope");

  @Test
  void path_controllerOfVersion1_isItsOwn() {
    assertThat(MemoryGroup.path(BOTH, "memory")).isEqualTo("/jobs/7");
  }

  @Test
  void path_version2_isTheOneWithoutController() {
    assertThat(MemoryGroup.path(BOTH, "")).isEqualTo("/user.slice/a:b.scope");
  }

  @Test
  void path_none_isTheRoot() {
    assertThat(MemoryGroup.path(List.of("0::/a"), "memory")).isEqualTo("/");
  }
}
