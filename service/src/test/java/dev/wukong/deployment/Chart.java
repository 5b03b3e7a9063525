package dev.wukong.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.marcnuri.helm.Helm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** What the chart makes of values: objects by "Kind/name". One thread. */
public final class Chart {
  /** Where the chart is. */
  static final Path FOLDER = Path.of("../k8s/wukong-serving").toAbsolutePath().normalize();

  /** The release that is rendered where no other is named. */
  public static final String RELEASE = "rank";

  private static final Pattern IN_ALERTS = Pattern.compile("\\$labels\\.(\\w+)");
  private static final Pattern IN_LEGENDS = Pattern.compile("\\{\\{(\\w+)}}");
  private static final YAMLMapper YAML = new YAMLMapper();

  private final Map<String, JsonNode> objects;

  private Chart(Map<String, JsonNode> objects) {
    this.objects = objects;
  }

  /**
   * Renders it.
   *
   * @param folder for what is written on the way; empty, or one of an earlier call
   * @param values lines of a file of values
   */
  public static Chart render(Path folder, String... values) throws IOException {
    return render(folder, RELEASE, List.of(values));
  }

  /** The same under the name of another release. */
  public static Chart render(Path folder, String release, List<String> values) throws IOException {
    return render(folder, release, "ads", values);
  }

  /** The same in another namespace. */
  static Chart render(Path folder, String release, String namespace, List<String> values)
      throws IOException {
    Path file = Files.write(folder.resolve("values.yaml"), values);
    String text =
        new Helm(copyWithoutHooks(folder.resolve("chart")))
            .template()
            .withName(release)
            .withNamespace(namespace)
            .withKubeVersion("1.37.0")
            .withValuesFile(file)
            .call();
    return new Chart(parse(text));
  }

  /** The chart with its test pod as an ordinary object: rendering leaves out hooks. */
  private static Path copyWithoutHooks(Path copy) throws IOException {
    try (var files = Files.walk(FOLDER)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = copy.resolve(FOLDER.relativize(file));
        Files.createDirectories(target.resolveSibling("."));
        try (var lines = Files.lines(file)) {
          Files.write(target, lines.filter(line -> !line.contains("helm.sh/hook")).toList());
        }
      }
    }
    return copy;
  }

  private static Map<String, JsonNode> parse(String text) {
    Map<String, JsonNode> objects = new TreeMap<>();
    try (var documents = YAML.readerFor(JsonNode.class).<JsonNode>readValues(text)) {
      documents.forEachRemaining(
          object -> {
            if (object.isObject()) {
              String name =
                  object.at("/kind").asString() + "/" + object.at("/metadata/name").asString();
              assertThat(objects.put(name, object)).as(name + " is made once").isNull();
            }
          });
    }
    return objects;
  }

  /** All objects. */
  Map<String, JsonNode> objects() {
    return objects;
  }

  /** All objects of a kind. */
  public List<JsonNode> all(String kind) {
    return objects.values().stream().filter(o -> o.at("/kind").asString().equals(kind)).toList();
  }

  /** What is at {@code pointer} of an object. */
  JsonNode at(String name, String pointer) {
    JsonNode object = objects.get(name);
    if (object == null) {
      throw new AssertionError("no " + name + " among " + objects.keySet());
    }
    return object.at(pointer);
  }

  /** The pod of a StatefulSet. */
  JsonNode pod(String name) {
    return at("StatefulSet/" + name, "/spec/template/spec");
  }

  /** The service's settings, as pods of a StatefulSet read them. */
  public JsonNode application(String name) {
    return YAML.readTree(at("ConfigMap/" + name, "/data/application.yaml").asString());
  }

  /** The element of a list that has this name. */
  static JsonNode named(JsonNode list, String name) {
    for (JsonNode element : list) {
      if (element.at("/name").asString().equals(name)) {
        return element;
      }
    }
    throw new AssertionError("no '" + name + "' in " + list);
  }

  /** Names of the sets of values that all of what is made of is checked. */
  public static List<String> valueSets() throws IOException {
    try (var files = Files.list(valueSet("."))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".yaml"))
          .sorted()
          .toList();
    }
  }

  /** The lines of one of these. */
  public static List<String> values(String name) throws IOException {
    return Files.readAllLines(valueSet(name));
  }

  private static Path valueSet(String name) {
    return Path.of("src/test/resources/deployment/values").resolve(name);
  }

  /**
   * What Prometheus is asked.
   *
   * @param expression in its language
   * @param shown labels of the answer that are shown
   */
  public record Asked(String expression, Set<String> shown) {}

  /** All that Prometheus is asked: by alerts, then by dashboards. */
  public List<Asked> asked() {
    List<Asked> all = new ArrayList<>();
    for (JsonNode rules : all("PrometheusRule")) {
      for (JsonNode rule : rules.at("/spec/groups").findValues("rules")) {
        rule.forEach(
            alert ->
                all.add(asked(alert.at("/expr"), IN_ALERTS, alert.at("/annotations").toString())));
      }
    }
    for (JsonNode dashboard : dashboards()) {
      for (JsonNode targets : dashboard.findValues("targets")) {
        targets.forEach(
            target ->
                all.add(
                    asked(target.at("/expr"), IN_LEGENDS, target.at("/legendFormat").asString())));
      }
    }
    return all;
  }

  private static Asked asked(JsonNode expression, Pattern label, String shown) {
    return new Asked(
        expression.asString(),
        label
            .matcher(shown)
            .results()
            .map(found -> found.group(1))
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  /** Every expression of these. */
  List<String> expressions() {
    return asked().stream().map(Asked::expression).toList();
  }

  /** The dashboards. */
  List<JsonNode> dashboards() {
    return all("ConfigMap").stream()
        .flatMap(map -> map.at("/data").properties().stream())
        .filter(file -> file.getKey().endsWith(".json"))
        .map(file -> YAML.readTree(file.getValue().asString()))
        .toList();
  }

  /** The autoscaler's metric, as the adapter asks Prometheus for it. */
  public static List<String> adapterExpressions() {
    try {
      return YAML
          .readTree(Files.readString(FOLDER.resolveSibling("prometheus-adapter.yaml")))
          .findValues("metricsQuery")
          .stream()
          .map(JsonNode::asString)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
