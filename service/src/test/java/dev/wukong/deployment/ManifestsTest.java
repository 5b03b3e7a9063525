package dev.wukong.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** All that the chart makes of many sets of values, by Kubernetes' own schemas and by ours. */
class ManifestsTest {
  /** As long as Helm lets it be, and it does not contain the chart's name. */
  private static final String LONG = "a-release-whose-name-is-as-long-as-helm-allows-it-53x";

  private static final Pattern LABEL =
      Pattern.compile("([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?");
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  /** With the hash of a revision after it, it must still be a label. */
  private static final int LONGEST_STATEFUL_SET = 52;

  private static final Path RESOURCES = Path.of("src/test/resources/deployment");
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir Path folder;

  static List<String> valueSets() throws IOException {
    return Chart.valueSets();
  }

  private List<Chart> everyChart() throws IOException {
    List<Chart> charts = new ArrayList<>();
    for (String set : Chart.valueSets()) {
      for (String release : List.of(Chart.RELEASE, LONG)) {
        charts.add(Chart.render(folder, release, Chart.values(set)));
      }
    }
    return charts;
  }

  private static boolean ofMonitoring(JsonNode object) {
    return object.at("/apiVersion").asString().startsWith("monitoring.coreos.com/");
  }

  private static Set<String> distinct(List<Chart> charts, Predicate<JsonNode> which) {
    Set<String> objects = new LinkedHashSet<>();
    for (Chart chart : charts) {
      chart.objects().values().stream().filter(which).map(JsonNode::toString).forEach(objects::add);
    }
    return objects;
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.35", "1.36", "1.37"})
  void manifests_everyValueSet_areStrictlyValid(String version) throws Exception {
    ManifestTools tools = ManifestTools.find();
    Set<String> objects = distinct(everyChart(), object -> !ofMonitoring(object));
    Path file = Files.writeString(folder.resolve("all.yaml"), String.join("\n---\n", objects));
    List<String> said = tools.validate(version, List.of(file));
    assertThat(said).filteredOn(line -> !line.startsWith("INFO")).isEmpty();
    assertThat(said).hasSameSizeAs(objects);
  }

  /** The check itself: it sees a field that there is not, a wrong type and an unknown kind. */
  @Test
  void validator_badManifests_areSeen() throws Exception {
    ManifestTools tools = ManifestTools.find();
    for (String bad :
        List.of(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, datas: {}}",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: 1}}",
            "{apiVersion: v1, kind: Config, metadata: {name: a}}")) {
      Path file = Files.writeString(folder.resolve("bad.yaml"), bad);
      assertThat(tools.validate("1.37", List.of(file)))
          .as(bad)
          .noneMatch(line -> line.startsWith("INFO"));
    }
  }

  private List<String> faults(List<JsonNode> objects, List<String> expressions) throws Exception {
    ManifestTools tools = ManifestTools.find();
    JsonNode schemas =
        JSON.readTree(Files.readString(RESOURCES.resolve("monitoring.schemas.json")));
    Path file =
        Files.writeString(
            folder.resolve("given.json"),
            JSON.writeValueAsString(
                Map.of("schemas", schemas, "objects", objects, "expressions", expressions)));
    return tools.check(RESOURCES.resolve("manifests.py"), file);
  }

  /** As Grafana would ask it. */
  private static String asked(String expression) {
    return expression.replace("$__rate_interval", "5m");
  }

  @Test
  void monitoring_everyValueSet_isWhatPrometheusTakes() throws Exception {
    List<Chart> charts = everyChart();
    List<JsonNode> objects =
        distinct(charts, ManifestsTest::ofMonitoring).stream().map(JSON::readTree).toList();
    assertThat(objects).extracting(o -> o.at("/kind").asString()).contains("ServiceMonitor");
    assertThat(objects).extracting(o -> o.at("/kind").asString()).contains("PrometheusRule");
    List<String> expressions =
        Stream.concat(
                charts.stream().flatMap(chart -> chart.expressions().stream()),
                Chart.adapterExpressions().stream()
                    .map(e -> e.replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", "")))
            .map(ManifestsTest::asked)
            .distinct()
            .toList();
    assertThat(expressions).hasSizeGreaterThan(100);
    assertThat(faults(objects, expressions)).isEmpty();
  }

  /** The check itself. */
  @Test
  void monitoring_faults_areSeen() throws Exception {
    JsonNode rule =
        Chart.render(folder, "monitoring: {rules: {enabled: true}}").all("PrometheusRule").get(0);
    JsonNode misspelt = JSON.readTree(rule.toString().replace("\"expr\"", "\"expression\""));
    assertThat(faults(List.of(misspelt), List.of()))
        .anyMatch(line -> line.contains("'expression' was unexpected"));
    assertThat(faults(List.of(), List.of("rate(a_total) > 1", "sum by (a (b)", "up == 0")))
        .hasSize(2);
  }

  @ParameterizedTest
  @MethodSource("valueSets")
  void objects_everyValueSet_fitEachOther(String set) throws IOException {
    for (String release : List.of(Chart.RELEASE, LONG)) {
      Chart chart = Chart.render(folder, release, Chart.values(set));
      for (JsonNode object : chart.objects().values()) {
        checkNames(object);
      }
      for (JsonNode workload : chart.all("StatefulSet")) {
        checkWorkload(chart, workload);
      }
      for (JsonNode service : chart.all("Service")) {
        assertThat(chart.all("StatefulSet"))
            .as("pods of " + service.at("/metadata/name"))
            .filteredOn(workload -> selects(service.at("/spec/selector"), labels(workload)))
            .hasSize(1);
      }
    }
  }

  private static void checkNames(JsonNode object) {
    String name = object.at("/metadata/name").asString();
    assertThat(name).matches(NAME);
    assertThat(object.at("/metadata/labels").properties())
        .as(name)
        .isNotEmpty()
        .allMatch(label -> LABEL.matcher(label.getValue().asString()).matches());
  }

  private static JsonNode labels(JsonNode workload) {
    return workload.at("/spec/template/metadata/labels");
  }

  private static boolean selects(JsonNode selector, JsonNode labels) {
    return selector.properties().stream()
        .allMatch(wanted -> wanted.getValue().equals(labels.get(wanted.getKey())));
  }

  /** What a StatefulSet names is there. */
  private static void checkWorkload(Chart chart, JsonNode workload) {
    String name = workload.at("/metadata/name").asString();
    assertThat(name).hasSizeLessThanOrEqualTo(LONGEST_STATEFUL_SET);
    assertThat(chart.objects())
        .containsKey("Service/" + workload.at("/spec/serviceName").asString());
    assertThat(selects(workload.at("/spec/selector/matchLabels"), labels(workload))).isTrue();
    JsonNode pod = workload.at("/spec/template/spec");
    for (JsonNode volume : pod.at("/volumes")) {
      if (volume.has("configMap")) {
        assertThat(chart.objects())
            .containsKey("ConfigMap/" + volume.at("/configMap/name").asString());
      }
    }
    List<String> volumes = new ArrayList<>(List.of("data"));
    pod.at("/volumes").forEach(volume -> volumes.add(volume.at("/name").asString()));
    List<String> mounted = new ArrayList<>();
    pod.at("/containers/0/volumeMounts")
        .forEach(mount -> mounted.add(mount.at("/name").asString()));
    assertThat(mounted).containsExactlyInAnyOrderElementsOf(volumes);
    List<String> ports = new ArrayList<>();
    pod.at("/containers/0/ports").forEach(port -> ports.add(port.at("/name").asString()));
    for (JsonNode service : chart.all("Service")) {
      if (selects(service.at("/spec/selector"), labels(workload))) {
        service
            .at("/spec/ports")
            .forEach(port -> assertThat(ports).contains(port.at("/targetPort").asString()));
      }
    }
    for (JsonNode account : chart.all("ServiceAccount")) {
      assertThat(account.at("/automountServiceAccountToken").asBoolean(true)).isFalse();
    }
    if (!chart.all("ServiceAccount").isEmpty()) {
      assertThat(chart.objects())
          .containsKey("ServiceAccount/" + pod.at("/serviceAccountName").asString());
    }
  }
}
