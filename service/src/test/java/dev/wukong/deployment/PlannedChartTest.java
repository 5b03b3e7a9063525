package dev.wukong.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What the command {@code plan} prints as the chart's values is what the chart takes. */
class PlannedChartTest {
  private static final String NAME = "rank-wukong-serving";

  @TempDir Path folder;

  /** Of what is planned for a small model that learns from half of the requests. */
  private Chart planned(String... machines) throws Exception {
    Path out = folder.resolve("plan.txt");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.wukong.cli.ModelExport",
                "plan",
                "--table=1000000:16:1:2",
                "--dense=1000",
                "--graph-micros=2"));
    command.addAll(List.of(machines));
    int status =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start()
            .waitFor();
    String said = Files.readString(out);
    assertThat(status).as(said).isZero();
    String values = said.substring(said.indexOf("# values.yaml"));
    return Chart.render(folder, values.replace("addresses: []", "addresses: ['k:9092']"));
  }

  private static void assertLearns(JsonNode settings, double sample, String commitEvery) {
    JsonNode online = settings.at("/wukong/online");
    assertThat(online.at("/model").asString()).isEqualTo("MODEL");
    assertThat(online.at("/sample").asDouble()).isEqualTo(sample);
    assertThat(online.at("/commit-every").asString()).isEqualTo(commitEvery);
  }

  @Test
  void planned_replicaThatTrainsToo_isRendered() throws Exception {
    Chart chart = planned("--requests=200", "--logged=0.5", "--commit-every=2", "--spare=2");
    assertThat(chart.at("StatefulSet/" + NAME, "/spec/replicas").asInt()).isEqualTo(3);
    assertThat(chart.all("StatefulSet")).hasSize(1);
    assertLearns(chart.application(NAME), 0.5, "2000ms");
    assertThat(chart.application(NAME).at("/wukong/cluster/election").asString())
        .isEqualTo("lease");
  }

  @Test
  void planned_trainerOfItsOwn_isRendered() throws Exception {
    Chart chart =
        planned("--requests=3000", "--logged=0.25", "--seen=2", "--cores=1", "--busy=0.9");
    assertThat(chart.all("StatefulSet")).hasSize(2);
    assertLearns(chart.application(NAME), 0.25, "1000ms");
    JsonNode trainer = chart.application(NAME + "-trainer");
    assertLearns(trainer, 0.25, "1000ms");
    assertThat(trainer.at("/wukong/online/share").asInt()).isEqualTo(1);
    assertThat(chart.application(NAME).at("/wukong/cluster/election").asString())
        .isEqualTo("never");
  }

  @Test
  void planned_oneReplica_isNoCluster() throws Exception {
    Chart chart = planned("--requests=10", "--candidates=100", "--seen=1", "--spare=0");
    assertThat(chart.at("StatefulSet/" + NAME, "/spec/replicas").asInt()).isEqualTo(1);
    assertThat(chart.application(NAME).at("/wukong/cluster").isMissingNode()).isTrue();
    assertLearns(chart.application(NAME), 1, "1000ms");
  }
}
