package dev.wukong.study;

import dev.wukong.bundle.BundleStore;
import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A run as a study lists it.
 *
 * @param name the model's name too
 * @param config its base configuration, where it is not the study's
 * @param series runs of one series are compared with each other; empty: none
 * @param set values over those of the configuration, by dotted key
 */
public record RunSpec(
    String name,
    Optional<String> config,
    String series,
    Map<String, JsonNode> set,
    List<Published> published) {
  public RunSpec {
    published = List.copyOf(published);
  }

  static RunSpec read(Section section) {
    String name = section.text("name");
    if (!BundleStore.isModel(name)) {
      throw new ConfigException(
          section.path() + ".name is '" + name + "', want 1 to 64 of a-z, 0-9, _ and -");
    }
    RunSpec spec =
        new RunSpec(
            name,
            section.has("config") ? Optional.of(section.text("config")) : Optional.empty(),
            section.text("series", " ").strip(),
            values(section, "set"),
            section.sections("published").stream().map(Published::read).toList());
    section.done();
    return spec;
  }

  /** What is wrong with this run: its name and {@code problem}. */
  ConfigException wrong(@Nullable String problem) {
    return new ConfigException("run '%s': %s".formatted(name, problem));
  }

  /**
   * Refuses a key of the configuration that the study decides itself.
   *
   * @param path what the message begins with
   */
  static void checkSettable(String path, String key) {
    if (key.equals("name") || key.equals("training.threads")) {
      throw new ConfigException(path + "." + key + " cannot be set: the study itself decides it");
    }
  }

  /**
   * Refuses a key that lies within another: which of the two holds would depend on their order.
   *
   * @param path what the message begins with
   * @param first keys that are set first; {@code then} may have the same ones
   */
  static void checkApart(String path, Collection<String> first, Collection<String> then) {
    Set<String> all = new TreeSet<>(first);
    all.addAll(then);
    for (String key : all) {
      for (int dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1)) {
        String outer = key.substring(0, dot);
        // What is set whole first may well be changed in part then; not the other way round.
        boolean partly = first.contains(outer) && !first.contains(key) && !then.contains(outer);
        if (all.contains(outer) && !partly) {
          throw new ConfigException(
              "%s sets '%s' and '%s', of which one holds the other; want keys apart from each other"
                  .formatted(path, outer, key));
        }
      }
    }
  }

  /** The values under {@code key} by dotted key, in their order. */
  static Map<String, JsonNode> values(Section section, String key) {
    Section inner = section.section(key);
    Map<String, JsonNode> result = new LinkedHashMap<>();
    for (String name : inner.keys()) {
      checkSettable(inner.path(), name);
      result.put(name, inner.raw(name).orElseThrow());
    }
    return result;
  }
}
