package dev.wukong.bench;

import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What one run found.
 *
 * @param commit the full hash of the commit that was measured
 * @param changed whether the working tree differed from it
 * @param machine processor, memory, Java: what the figures depend on, and no names of hosts
 */
public record BenchmarkReport(
    String name,
    String commit,
    boolean changed,
    String machine,
    double seconds,
    List<Figure> figures) {
  public BenchmarkReport {
    figures = List.copyOf(figures);
    if (figures.stream().map(Figure::name).distinct().count() != figures.size()) {
      throw new IllegalArgumentException("benchmark '" + name + "' gives a figure twice");
    }
  }

  /** Whether no figure misses its target. */
  public boolean green() {
    return figures.stream().allMatch(f -> f.target().met(f.value()).orElse(true));
  }

  /** Writes {@code file} anew, whole or not at all. */
  public void write(Path file) throws IOException {
    JsonMapper json = JsonMapper.builder().build();
    ObjectNode report = json.createObjectNode();
    report.put("name", name);
    report.put("commit", commit);
    if (changed) {
      report.put("changed", true);
    }
    report.put("machine", machine);
    report.put("seconds", Math.round(seconds * 10) / 10.0);
    var list = report.putArray("figures");
    for (Figure figure : figures) {
      ObjectNode node = list.addObject();
      node.put("name", figure.name());
      node.put("value", figure.value());
      node.put("unit", figure.unit());
      node.put("target", figure.target().text());
      node.put("note", figure.note());
    }
    Files.createDirectories(file.toAbsolutePath().getParent());
    WholeFile.write(file, json.writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n");
  }

  /** The figures as a table for people, one line each. */
  public String table() {
    int names = figures.stream().mapToInt(f -> f.name().length()).max().orElse(0);
    var text = new StringBuilder();
    for (Figure f : figures) {
      String verdict = f.target().met(f.value()).map(met -> met ? "met" : "MISSED").orElse("");
      text.append(
          String.format(
                  Locale.ROOT,
                  "%-" + Math.max(names, 6) + "s  %12s %-8s  %-8s %-6s  %s",
                  f.name(),
                  number(f.value()),
                  f.unit().equals("1") ? "" : f.unit(),
                  f.target().text(),
                  verdict,
                  f.note())
              .stripTrailing());
      text.append('\n');
    }
    return text.toString();
  }

  private static String number(double value) {
    return Math.rint(value) == value && Math.abs(value) < 1e15
        ? String.valueOf((long) value)
        : new BigDecimal(value).round(new MathContext(5)).toString();
  }
}
