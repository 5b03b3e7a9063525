package dev.wukong.deployment;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A file of the folder {@code docker} that {@code docker compose} reads, with its anchors resolved.
 *
 * @param services by name
 */
public record Compose(Map<String, JsonNode> services) {
  /** Where images and what starts them are described. */
  static final Path DOCKER = Path.of("../docker").toAbsolutePath().normalize();

  /** Reads one. */
  public static Compose read(String file) throws IOException {
    JsonNode services = yaml(file).path("services");
    Map<String, JsonNode> found = new LinkedHashMap<>();
    services.properties().forEach(entry -> found.put(entry.getKey(), entry.getValue()));
    return new Compose(found);
  }

  /** A file of the folder as a tree. */
  static JsonNode yaml(String file) throws IOException {
    // Jackson's own reader knows no '<<'.
    Object tree = new Yaml().load(Files.readString(DOCKER.resolve(file)));
    return JsonMapper.shared().valueToTree(tree);
  }

  /** One of them. */
  JsonNode service(String name) {
    JsonNode service = services.get(name);
    if (service == null) {
      throw new AssertionError("no " + name + " among " + services.keySet());
    }
    return service;
  }

  /** The services that are built here. */
  Map<String, JsonNode> ours() {
    Map<String, JsonNode> found = new LinkedHashMap<>(services);
    found.values().removeIf(service -> !service.has("build"));
    return found;
  }

  /** The environment of a service, with defaults where it takes the caller's. */
  public Map<String, String> environment(String service) {
    Map<String, String> found = new LinkedHashMap<>();
    service(service)
        .path("environment")
        .properties()
        .forEach(
            entry ->
                found.put(
                    entry.getKey(),
                    entry.getValue().asString().replaceAll("\\$\\{[A-Z]+:-([^}]*)\\}", "$1")));
    return found;
  }

  /** What a list of a service says. */
  static List<String> texts(JsonNode service, String name) {
    return Stream.of(service.path(name))
        .flatMap(JsonNode::valueStream)
        .map(JsonNode::asString)
        .toList();
  }
}
