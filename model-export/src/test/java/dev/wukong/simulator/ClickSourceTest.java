package dev.wukong.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.DataException;
import dev.wukong.data.Feature;
import dev.wukong.data.RowSource;
import dev.wukong.data.Task;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClickSourceTest {
  @ParameterizedTest
  @ValueSource(strings = {"clicks", "rules"})
  void rows_ofEachWorld_haveAColumnForFeaturesTasksAndTheTruth(String name) {
    ClickSource world = ClickSource.of(name, 3);
    List<String> columns = new ArrayList<>();
    world.schema().features().stream().map(Feature::column).forEach(columns::add);
    world.schema().tasks().stream().map(Task::column).forEach(columns::add);
    columns.add("click_probability");
    assertThat(world.schema().tasks().getFirst().name()).isEqualTo("click");
    try (RowSource rows = world.rows(2, 5)) {
      assertThat(rows.columns()).isEqualTo(columns);
      while (rows.next()) {
        assertThat(rows.value(columns.size() - 1))
            .asInstanceOf(InstanceOfAssertFactories.DOUBLE)
            .isBetween(0.0, 1.0);
      }
      assertThat(rows.row()).isEqualTo(3L * world.candidates());
    }
    assertThat(world.bestNormalizedEntropy(0, 100)).isBetween(0.5, 1.0);
  }

  @Test
  void of_unknownName_isRefused() {
    assertThatThrownBy(() -> ClickSource.of("x", 1))
        .isInstanceOf(DataException.class)
        .hasMessage("simulator: world is 'x'; clicks or rules is allowed");
  }
}
