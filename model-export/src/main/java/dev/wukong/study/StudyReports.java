package dev.wukong.study;

import dev.wukong.report.Block;
import dev.wukong.report.HtmlReport;
import dev.wukong.report.JsonReport;
import dev.wukong.report.Report;
import dev.wukong.simulator.ClickSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** The report of a study, as far as its runs have ended. */
final class StudyReports {
  private StudyReports() {}

  /** Writes {@code report.html} and {@code report.json}. */
  static void write(Study study, List<Result> results, Path out) throws IOException {
    Report report = of(study, results);
    HtmlReport.write(report, out.resolve("report.html"));
    JsonReport.write(report, out.resolve("report.json"));
  }

  static Report of(Study study, List<Result> results) {
    Groups groups = Groups.of(study, results);
    List<Block> blocks = new ArrayList<>();
    if (!study.about().isEmpty()) {
      blocks.add(new Block.Paragraph(study.about()));
    }
    if (groups.all().isEmpty()) {
      blocks.add(
          new Block.Paragraph(
              groups.failures().isEmpty() ? "No run has ended yet." : "No run has an outcome."));
    } else {
      blocks.addAll(
          switch (study.kind()) {
            case REPRODUCE -> ReproduceReport.of(groups);
            case SWEEP -> SweepReport.of(groups);
            case ABLATE -> AblationReport.of(study, groups);
            case SEARCH -> SearchReport.of(study, groups);
          });
    }
    if (!groups.failures().isEmpty()) {
      blocks.add(new Block.Heading("Runs that failed"));
      groups
          .failures()
          .forEach(f -> blocks.add(new Block.Paragraph(f.identity().label() + ": " + f.message())));
    }
    return new Report(study.title(), subtitle(study, groups), blocks);
  }

  private static String subtitle(Study study, Groups groups) {
    int runs = groups.all().stream().mapToInt(g -> g.outcomes().size()).sum();
    String ended =
        String.format(
            Locale.ROOT, "Study %s (%s): %d runs have ended", study.name(), study.kind(), runs);
    if (groups.all().isEmpty()) {
      return ended + ".";
    }
    List<Outcome> all = groups.all().stream().flatMap(g -> g.outcomes().stream()).toList();
    return Stream.of(
            ended,
            each(all, StudyReports::world),
            each(all, StudyReports::data),
            each(all, StudyReports::machine),
            each(all, o -> o.effort().commit().isEmpty() ? "" : "Commit " + o.effort().commit()))
        .filter(said -> !said.isEmpty())
        .collect(Collectors.joining(". ", "", "."));
  }

  /**
   * The simulated world by its version. This build's is the outcome's: one made of other rows is
   * refused before anything is reported.
   */
  private static String world(Outcome outcome) {
    JsonNode world = outcome.identity().simulator();
    return world.isMissingNode()
        ? ""
        : "Simulated world %s, seed %d"
            .formatted(
                ClickSource.version(world.path("world").asString(ClickSource.CLICKS)),
                world.path("seed").asInt(1));
  }

  private static String data(Outcome outcome) {
    Result.DataPrint data = outcome.identity().data();
    return String.format(
        Locale.ROOT,
        "%,d examples to train on, %,d to choose by, %,d to test on",
        data.trainRows(),
        data.validRows(),
        data.testRows());
  }

  private static String machine(Outcome outcome) {
    Outcome.Effort effort = outcome.effort();
    return "%d %s a run on %s"
        .formatted(
            effort.threads(), effort.threads() == 1 ? "thread" : "threads", effort.machine());
  }

  /** What is said of the runs, with how many it is true of where that is not all. */
  private static String each(List<Outcome> all, Function<Outcome, String> said) {
    Map<String, Long> counts =
        all.stream()
            .collect(Collectors.groupingBy(said, LinkedHashMap::new, Collectors.counting()));
    return counts.size() == 1
        ? counts.keySet().iterator().next()
        : counts.entrySet().stream()
            .filter(e -> !e.getKey().isEmpty())
            .map(e -> "%s (%d of the runs)".formatted(e.getKey(), e.getValue()))
            .collect(Collectors.joining("; "));
  }
}
