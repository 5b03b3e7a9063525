package dev.wukong.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@code docker} starts is confined, of fixed versions, and fits what it names. */
class ComposeTest {
  /** A tag with three numbers at least: one with fewer moves. */
  private static final Pattern PINNED =
      Pattern.compile("[a-z./-]+:v?\\d+\\.\\d+\\.\\d+(?:[._-][a-z0-9._-]+)?");

  private static final String SERVING = "wukong-serving:0.1.0";

  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "cluster.yaml"})
  void images_all_haveFixedVersions(String file) throws IOException {
    Map<String, JsonNode> services = Compose.read(file).services();
    assertThat(services).isNotEmpty();
    services.forEach(
        (name, service) -> assertThat(service.at("/image").asString()).as(name).matches(PINNED));
  }

  @Test
  void bases_all_haveFixedVersions() throws IOException {
    Pattern base = Pattern.compile("(?m)^ARG \\w*(?:BASE|JRE|CUDA)=(.*)$");
    for (Path file : dockerfiles()) {
      String text = Files.readString(file);
      List<String> bases = base.matcher(text).results().map(found -> found.group(1)).toList();
      assertThat(bases).as(file.toString()).isNotEmpty().allMatch(PINNED.asMatchPredicate());
      // From nothing else than these, and stages before.
      Set<String> known = new HashSet<>();
      for (MatchResult from :
          Pattern.compile("(?m)^FROM (\\S+)(?: AS (\\w+))?$").matcher(text).results().toList()) {
        assertThat(from.group(1).startsWith("${") || known.contains(from.group(1)))
            .as("%s: %s", file, from.group())
            .isTrue();
        known.add(String.valueOf(from.group(2)));
      }
      assertThat(text).contains("FROM ");
    }
  }

  @Test
  void kafka_version_isThatOfTheTests() throws IOException {
    Matcher version =
        Pattern.compile("<kafka.version>(.*)</kafka.version>")
            .matcher(Files.readString(Path.of("../pom.xml")));
    assertThat(version.find()).isTrue();
    assertThat(Compose.read("cluster.yaml").service("kafka").at("/image").asString())
        .isEqualTo("apache/kafka:" + version.group(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "cluster.yaml"})
  void services_all_areConfined(String file) throws IOException {
    Compose compose = Compose.read(file);
    compose
        .services()
        .forEach(
            (name, service) -> {
              assertThat(Compose.texts(service, "cap_drop")).as(name).containsExactly("ALL");
              assertThat(Compose.texts(service, "security_opt"))
                  .as(name)
                  .containsExactly("no-new-privileges:true");
              assertThat(service.propertyNames())
                  .as(name)
                  .doesNotContain("privileged", "cap_add", "network_mode", "pid", "devices");
            });
    assertThat(compose.ours()).isNotEmpty();
    compose
        .ours()
        .forEach(
            (name, service) -> {
              assertThat(service.at("/read_only").asBoolean()).as(name).isTrue();
              assertThat(Compose.texts(service, "tmpfs"))
                  .as(name)
                  .singleElement()
                  .satisfies(place -> assertThat(place).matches("/tmp:exec,.*size=\\d+m"));
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "cluster.yaml"})
  void ports_all_areOfThisMachineAlone(String file) throws IOException {
    List<String> ports = new ArrayList<>();
    for (JsonNode service : Compose.read(file).services().values()) {
      ports.addAll(Compose.texts(service, "ports"));
    }
    assertThat(ports).isNotEmpty().allMatch(port -> port.matches("127\\.0\\.0\\.1:\\d+:\\d+"));
    assertThat(ports.stream().map(port -> port.split(":", -1)[1])).doesNotHaveDuplicates();
  }

  /** One without a check of its own has that of its image, and none is turned off. */
  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "cluster.yaml"})
  void health_ofTheService_isChecked(String file) throws IOException {
    List<JsonNode> serving =
        Compose.read(file).services().values().stream()
            .filter(service -> service.at("/image").asString().equals(SERVING))
            .toList();
    assertThat(serving).isNotEmpty();
    for (JsonNode service : serving) {
      assertThat(service.has("healthcheck")).isFalse();
      String dockerfile = service.at("/build/dockerfile").asString();
      assertThat(Files.readString(Compose.DOCKER.resolveSibling(dockerfile)))
          .contains("\nHEALTHCHECK ");
    }
  }

  @Test
  void images_ofOurs_runAsAnOrdinaryUser() throws IOException {
    for (Path file : dockerfiles()) {
      String text = Files.readString(file);
      // A base has none to run.
      if (text.contains("ENTRYPOINT")) {
        List<String> users =
            Pattern.compile("(?m)^USER (.*)$")
                .matcher(text)
                .results()
                .map(found -> found.group(1))
                .toList();
        assertThat(users).as(file.toString()).isNotEmpty().allMatch("10001:10001"::equals);
        assertThat(text.lastIndexOf("\nUSER ")).isGreaterThan(text.lastIndexOf("\nFROM "));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "cluster.yaml"})
  void files_thatServicesTake_areThere(String file) throws IOException {
    for (JsonNode service : Compose.read(file).services().values()) {
      for (String volume : Compose.texts(service, "volumes")) {
        if (volume.startsWith("./")) {
          assertThat(Compose.DOCKER.resolve(volume.split(":", -1)[0])).exists();
          assertThat(volume).endsWith(":ro");
        }
      }
    }
  }

  /** Each volume that is named is declared, and the other way round. */
  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "cluster.yaml"})
  void volumes_declared_areThoseThatAreUsed(String file) throws IOException {
    Set<String> used = new TreeSet<>();
    for (JsonNode service : Compose.read(file).services().values()) {
      for (String volume : Compose.texts(service, "volumes")) {
        String source = volume.split(":", -1)[0];
        if (!source.startsWith(".") && !source.startsWith("$")) {
          used.add(source);
        }
      }
    }
    assertThat(Compose.yaml(file).path("volumes").propertyNames())
        .containsExactlyInAnyOrderElementsOf(used);
  }

  @Test
  void replicas_all_haveTheirOwnNameAndState() throws IOException {
    Compose compose = Compose.read("cluster.yaml");
    Set<String> states = new HashSet<>();
    for (String name : replicas(compose)) {
      assertThat(compose.environment(name)).containsEntry("WUKONG_CLUSTER_NAME", name);
      String state = Compose.texts(compose.service(name), "volumes").getFirst();
      assertThat(state).endsWith(":/var/lib/wukong");
      assertThat(states.add(state)).as(state).isTrue();
    }
    assertThat(states).hasSize(3);
  }

  @Test
  void prometheus_targets_areTheReplicas() throws IOException {
    JsonNode targets = Compose.yaml("prometheus.yaml").at("/scrape_configs/0/static_configs/0");
    assertThat(Compose.texts(targets, "targets"))
        .containsExactlyElementsOf(
            replicas(Compose.read("cluster.yaml")).stream().map(name -> name + ":8080").toList());
    JsonNode rules = Compose.yaml("prometheus.yaml");
    assertThat(Compose.texts(rules, "rule_files"))
        .allMatch(rule -> Files.exists(Compose.DOCKER.resolve(rule)));
  }

  @Test
  void metrics_ofAlertsAndPanels_areThoseOfTheService() throws IOException {
    Set<String> known = new HashSet<>();
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Pattern.compile("\"(wukong\\.[a-z.]+)\"")
            .matcher(Files.readString(file))
            .results()
            .forEach(found -> known.add(found.group(1).replace('.', '_')));
      }
    }
    List<String> expressions = new ArrayList<>();
    for (JsonNode rule : Compose.yaml("alerts.yaml").at("/groups/0/rules")) {
      expressions.add(rule.at("/expr").asString());
    }
    JsonNode board =
        JsonMapper.shared()
            .readTree(Compose.DOCKER.resolve("grafana/dashboards/wukong.json").toFile());
    String source =
        Compose.yaml("grafana/datasources/prometheus.yaml").at("/datasources/0/uid").asString();
    for (JsonNode panel : board.at("/panels")) {
      assertThat(panel.at("/datasource/uid").asString()).isEqualTo(source);
      expressions.add(panel.at("/targets/0/expr").asString());
    }
    assertThat(expressions).hasSizeGreaterThan(10);
    for (String expression : expressions) {
      Pattern.compile("wukong_[a-z_]+")
          .matcher(expression)
          .results()
          .map(found -> found.group().replaceAll("(_seconds)?(_total|_bucket|_sum|_count)?$", ""))
          .forEach(name -> assertThat(known).as(expression).contains(name));
    }
  }

  private static List<String> replicas(Compose compose) {
    return compose.services().keySet().stream()
        .filter(name -> name.startsWith("serving-"))
        .toList();
  }

  private static List<Path> dockerfiles() throws IOException {
    try (Stream<Path> files = Files.list(Compose.DOCKER)) {
      List<Path> found = files.filter(file -> file.toString().endsWith("Dockerfile")).toList();
      assertThat(found).hasSize(3);
      return found;
    }
  }
}
