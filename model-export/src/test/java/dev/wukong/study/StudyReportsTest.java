package dev.wukong.study;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.metrics.Metrics;
import dev.wukong.report.Block;
import dev.wukong.report.Report;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyReportsTest {
  @TempDir Path folder;

  private static List<Block.Table> tables(Report report) {
    return report.blocks().stream()
        .filter(Block.Table.class::isInstance)
        .map(Block.Table.class::cast)
        .toList();
  }

  private static List<Block.Chart> charts(Report report) {
    return report.blocks().stream()
        .filter(Block.Chart.class::isInstance)
        .map(Block.Chart.class::cast)
        .toList();
  }

  private record Made(Study study, List<Outcome> outcomes, Report report) {}

  /** Makes a study's runs and reports on them. */
  private Made made(String text) throws Exception {
    return made(text, "out");
  }

  private Made made(String text, String out) throws Exception {
    StudyFiles files = new StudyFiles(folder);
    List<Outcome> outcomes = files.run(text, out);
    Study study = files.study(text);
    return new Made(study, outcomes, StudyReports.of(study, List.copyOf(outcomes)));
  }

  private static String six(double value) {
    return String.format(Locale.ROOT, "%.6f", value);
  }

  private static String cell(Block.Table table, int row, String column) {
    List<String> headings = table.columns().stream().map(Block.Column::heading).toList();
    return table.rows().get(row).get(headings.indexOf(column));
  }

  @Test
  void reproduce_report_saysWhatTheOutcomesSay() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    List<Result> results =
        files
            .run(StudyFiles.EVERY, files.options("out", 2, 1, 1, false), () -> false)
            .orElseThrow();
    Report report = StudyReports.of(files.study(StudyFiles.EVERY), results);
    List<Outcome> one =
        results.stream()
            .map(Outcome.class::cast)
            .filter(o -> o.identity().run().equals("one"))
            .toList();
    assertThat(one).hasSize(2);
    double first = one.getFirst().of("test").auc();
    double second = one.getLast().of("test").auc();
    double mean = (first + second) / 2;
    Block.Table quality = tables(report).getFirst();
    // Two values are as far from their mean as half their distance: the deviation is that times √2.
    assertThat(cell(quality, 0, "test AUC"))
        .isEqualTo(six(mean) + " ± " + six(Math.abs(first - second) / Math.sqrt(2)));
    assertThat(cell(quality, 0, "parameters"))
        .isEqualTo(String.format(Locale.ROOT, "%,d", one.getFirst().size().parameters()));
    Block.Table published = tables(report).get(1);
    assertThat(cell(published, 0, "AUC")).isEqualTo("0.750000 ± 0.010000");
    assertThat(published.rows().getFirst().get(3))
        .isEqualTo(String.format(Locale.ROOT, "%+.6f", mean - 0.75));

    Block.Chart curves = charts(report).getFirst();
    // What chose the epoch: the mean of both tasks, and the report says so.
    assertThat(curves.series().getFirst().points().stream().map(Block.Point::y))
        .isEqualTo(
            one.getFirst().curve().stream()
                .map(
                    p ->
                        p.valid().values().stream()
                            .mapToDouble(Metrics::auc)
                            .average()
                            .orElseThrow())
                .toList());
    String tasks = "Validation AUC is the mean of all tasks; test figures are of task 'click'.";
    assertThat(curves.note()).endsWith(tasks);
    assertThat(Summary.of(files.study(StudyFiles.EVERY), results)).contains(tasks);
    assertThat(files.said.toString())
        .contains("one-s1 ended: valid auc " + six(one.getFirst().validAuc()));
    assertThat(Files.readString(folder.resolve("out/report.html")))
        .contains("Two small models")
        .contains(cell(quality, 1, "test AUC"));
    assertThat(Files.readString(folder.resolve("out/report.json"))).contains(six(mean));
    assertThat(Summary.of(files.study(StudyFiles.EVERY), results))
        .anyMatch(line -> line.contains("one") && line.contains(six(mean)));
  }

  @Test
  void ablate_report_comparesWithTheFirstRun() throws Exception {
    Made made =
        made(
            """
            name: a
            kind: ablate
            config: simulated.yaml
            runs:
              - {name: whole}
              - name: none
                set: {model.residual: false}
                published: [{source: a paper, note: little}]
            """);
    List<Outcome> outcomes = made.outcomes();
    Block.Table table = tables(made.report()).getFirst();
    double whole = outcomes.getFirst().of("test").logLoss();
    double none = outcomes.getLast().of("test").logLoss();
    assertThat(cell(table, 0, "LogLoss change in %")).isEmpty();
    assertThat(cell(table, 1, "LogLoss change in %"))
        .startsWith(String.format(Locale.ROOT, "%+.3f [", 100 * (none / whole - 1)));
    assertThat(cell(table, 1, "published")).isEqualTo("a paper: little");
    // Without its first run there is nothing to compare with.
    assertThat(tables(StudyReports.of(made.study(), List.of(outcomes.getLast())))).isEmpty();
  }

  @Test
  void report_ofASimulatedWorld_saysWhichAndHowItsRunsWereChosen() throws Exception {
    Made made =
        made(
            """
            name: w
            about: The widths were guessed.
            kind: sweep
            config: simulated.yaml
            set: {training.epochs: 1, data.simulator.test: 1200}
            runs: [{name: clicks}, {name: rules, set: {data.simulator.world: rules}}]
            """);
    assertThat(made.report().blocks().getFirst())
        .isEqualTo(new Block.Paragraph("The widths were guessed."));
    assertThat(made.report().subtitle())
        .contains("Simulated world clicks, seed 3 (1 of the runs)")
        .contains("Simulated world rules-1, seed 3 (1 of the runs)");
  }

  @Test
  void report_oneEpoch_drawsTheLossWithinIt() throws Exception {
    Made made =
        made(
            """
            name: w
            kind: sweep
            config: simulated.yaml
            set: {training.epochs: 1}
            runs:
              - {name: small, series: wukong}
            """);
    List<Outcome> outcomes = made.outcomes();
    Report report = made.report();
    Block.Chart chart =
        charts(report).stream()
            .filter(c -> c.title().equals("Loss in training"))
            .findFirst()
            .orElseThrow();
    List<Block.Point> points = chart.series().getFirst().points();
    // 2000 rows in batches of 128.
    assertThat(points).hasSize(16);
    assertThat(points.getLast().x()).isEqualTo(2000);
    assertThat(points.getLast().y()).isEqualTo(outcomes.getFirst().losses().getLast().loss());
    assertThat(charts(report).stream().map(Block.Chart::title)).doesNotContain("Learning curves");
  }

  @Test
  void sweep_report_hasCostsFrontierAndIntervals() throws Exception {
    Made made =
        made(
            """
            name: w
            kind: sweep
            config: simulated.yaml
            runs:
              - {name: large, series: wukong, set: {model.embedding.width: 8, model.layers: 2}}
              - {name: small, series: wukong}
            """);
    List<Outcome> outcomes = made.outcomes();
    Report report = made.report();
    Outcome large = outcomes.getFirst();
    Outcome small = outcomes.getLast();
    Block.Table table = tables(report).getFirst();
    assertThat(cell(table, 0, "run")).isEqualTo("small");
    assertThat(cell(table, 0, "change")).isEmpty();
    assertThat(cell(table, 1, "from")).isEqualTo("small");
    assertThat(cell(table, 1, "change"))
        .startsWith(
            String.format(
                Locale.ROOT,
                "%+.6f [",
                large.detail().excessEntropy() - small.detail().excessEntropy()));
    assertThat(large.petaflopDays()).isEqualTo(3.0 * large.size().forwardFlops() * 4000 / 8.64e19);
    assertThat(charts(report).stream().map(Block.Chart::title))
        .contains(
            "excess entropy in nats by training MFLOP/example",
            "excess entropy in nats by parameters",
            "excess entropy in nats by training compute in PF-days",
            "excess entropy in nats by examples seen");
    assertThat(report.subtitle()).contains("2,000 examples to train on, ").doesNotContain("of the");
    Block.Point point = charts(report).getFirst().series().getFirst().points().getFirst();
    assertThat(point.low()).isBetween(0.5 * point.y(), point.y());
    assertThat(point.high()).isBetween(point.y(), 1.5 * point.y());
    boolean better = large.detail().excessEntropy() < small.detail().excessEntropy();
    assertThat(report.blocks().get(1))
        .isInstanceOfSatisfying(
            Block.Paragraph.class,
            text -> assertThat(text.text().contains("large (")).isEqualTo(better));
  }

  /** A run on less data is compared where it was tested on the same rows, and only there. */
  @Test
  void sweep_byData_comparesOnTheSameRowsOnly() throws Exception {
    String study =
        """
        name: w
        kind: sweep
        config: simulated.yaml
        set: {training.epochs: 1}
        runs:
          - {name: more, series: by data}
          - {name: less, series: by data, set: {data.simulator.train: 1000, data.simulator.held_out_after: 2000}}
        """;
    Made made = made(study);
    Block.Table table = tables(made.report()).getFirst();
    assertThat(cell(table, 1, "from") + cell(table, 0, "from")).isEqualTo("less");
    assertThat(made.report().subtitle())
        .contains("2,000 examples to train on, ", "1,000 examples to", " (1 of the runs)");
    Made others = made(study.replace(", data.simulator.held_out_after: 2000", ""), "others");
    assertThat(tables(others.report()).getFirst().rows())
        .hasSize(2)
        .allMatch(row -> row.getLast().isEmpty());
    // Neither is beaten by what was tested on other rows.
    assertThat(others.report().blocks())
        .filteredOn(Block.Paragraph.class::isInstance)
        .anySatisfy(b -> assertThat(b.toString()).contains("frontier", "more (", "less ("));
  }
}
