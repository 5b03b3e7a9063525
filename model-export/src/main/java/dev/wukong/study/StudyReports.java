package dev.wukong.study;

import dev.wukong.report.Block;
import dev.wukong.report.HtmlReport;
import dev.wukong.report.JsonReport;
import dev.wukong.report.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

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
    if (groups.all().isEmpty()) {
      blocks.add(new Block.Paragraph("No run has ended yet."));
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
    Outcome first = groups.all().getFirst().first();
    Result.DataPrint data = first.identity().data();
    return String.format(
        Locale.ROOT,
        "%s. %,d examples to train on, %,d to choose by, %,d to test on. %d threads a run on %s.%s",
        ended,
        data.trainRows(),
        data.validRows(),
        data.testRows(),
        first.effort().threads(),
        first.effort().machine(),
        first.effort().commit().isEmpty() ? "" : " Commit " + first.effort().commit() + ".");
  }
}
