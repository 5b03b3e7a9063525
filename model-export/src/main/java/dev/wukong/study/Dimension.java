package dev.wukong.study;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** One axis of a search space: keys of the configuration and the values they may take together. */
public sealed interface Dimension {
  /** As the study has it: dotted keys with commas between them. */
  String key();

  /** The dotted keys, each of which gets the value. */
  default List<String> keys() {
    return Stream.of(key().split(",", -1)).map(String::strip).toList();
  }

  /** One value of it. */
  JsonNode draw(SplittableRandom random);

  /** One of a list, each as likely. */
  record Choices(String key, List<JsonNode> values) implements Dimension {
    public Choices {
      values = List.copyOf(values);
    }

    @Override
    public JsonNode draw(SplittableRandom random) {
      return values.get(random.nextInt(values.size()));
    }
  }

  /**
   * A number between two.
   *
   * @param log whether its logarithm is evenly spread, not itself
   * @param whole whether it is a whole number: where both ends are written as such
   */
  record Range(String key, double from, double to, boolean log, boolean whole)
      implements Dimension {
    // What a person would write; more digits say nothing.
    private static final MathContext DIGITS = new MathContext(4);

    @Override
    public JsonNode draw(SplittableRandom random) {
      // A whole number's share of the range reaches half a step beyond its ends.
      double margin = whole ? 0.5 : 0;
      double low = from - margin;
      double high = to + margin;
      double uniform = random.nextDouble();
      double value =
          log
              ? Math.exp(Math.log(low) + uniform * (Math.log(high) - Math.log(low)))
              : low + uniform * (high - low);
      return whole
          ? JsonNodeFactory.instance.numberNode(Math.round(Math.clamp(value, from, to)))
          : JsonNodeFactory.instance.numberNode(
              Math.clamp(new BigDecimal(value).round(DIGITS).doubleValue(), from, to));
    }
  }

  /** Reads the {@code space} of a study. */
  static List<Dimension> read(Section space) {
    List<Dimension> result = new ArrayList<>();
    Set<String> before = new HashSet<>();
    for (String key : space.keys()) {
      JsonNode value = space.raw(key).orElseThrow();
      if (value.isArray() && !value.isEmpty()) {
        result.add(new Choices(key, List.copyOf(value.values())));
      } else if (value.isObject()) {
        result.add(range(key, Section.of(space.path() + "." + key, value)));
      } else {
        throw new ConfigException(
            "%s.%s is %s, want a list of choices or {from: 0.001, to: 0.1, log: true}"
                .formatted(space.path(), key, value));
      }
      for (String own : result.getLast().keys()) {
        RunSpec.checkSettable(space.path(), own);
        if (!before.add(own)) {
          throw new ConfigException(
              "%s has '%s' twice, want each key of the configuration in one dimension"
                  .formatted(space.path(), own));
        }
      }
    }
    return List.copyOf(result);
  }

  private static Range range(String key, Section section) {
    boolean whole =
        section.raw("from").filter(JsonNode::isIntegralNumber).isPresent()
            && section.raw("to").filter(JsonNode::isIntegralNumber).isPresent();
    for (String end : List.of("from", "to")) {
      if (!section.has(end)) {
        throw new ConfigException(
            section.path() + "." + end + " is missing, want {from: 0.001, to: 0.1, log: true}");
      }
    }
    Range range =
        new Range(
            key,
            section.number("from", Double.NaN, -1e15, 1e15),
            section.number("to", Double.NaN, -1e15, 1e15),
            section.flag("log", false),
            whole);
    section.done();
    if (!(range.from() < range.to())) {
      throw new ConfigException(
          section.path() + " goes from " + range.from() + " to " + range.to() + ", want from < to");
    }
    if (range.log() && range.from() <= 0) {
      throw new ConfigException(
          section.path() + ".from is " + range.from() + ", want more than 0 with log: true");
    }
    return range;
  }
}
