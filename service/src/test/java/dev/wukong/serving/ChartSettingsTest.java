package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.deployment.Chart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** The service knows every setting that the chart gives it: it does not start with another. */
class ChartSettingsTest {
  @TempDir Path folder;

  static List<String> valueSets() throws IOException {
    return Chart.valueSets();
  }

  private static List<String> names(String prefix, JsonNode node) {
    List<String> all = new ArrayList<>();
    for (var entry : node.properties()) {
      String name = prefix + "." + entry.getKey();
      if (entry.getValue().isObject()) {
        all.addAll(names(name, entry.getValue()));
      } else {
        all.add(name);
      }
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("valueSets")
  void settings_ofEveryValueSet_areKnown(String set) throws IOException {
    Chart chart = Chart.render(folder, Chart.RELEASE, Chart.values(set));
    List<String> given = new ArrayList<>();
    for (JsonNode workload : chart.all("StatefulSet")) {
      JsonNode settings = chart.application(workload.at("/metadata/name").asString());
      given.addAll(names("wukong", settings.at("/wukong")));
    }
    assertThat(given).isNotEmpty().allMatch(Settings::has);
  }
}
