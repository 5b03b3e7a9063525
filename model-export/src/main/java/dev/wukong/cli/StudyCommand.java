package dev.wukong.cli;

import dev.wukong.config.ConfigException;
import dev.wukong.run.Datasets;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import dev.wukong.study.Board;
import dev.wukong.study.Failure;
import dev.wukong.study.Kind;
import dev.wukong.study.Result;
import dev.wukong.study.Study;
import dev.wukong.study.StudyEngine;
import dev.wukong.study.Summary;
import dev.wukong.terminal.Stop;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What the commands that make many runs share: they differ in the kind of study they take. */
abstract class StudyCommand implements Callable<Integer> {
  /** What a shell says of a process that Ctrl-C ended. */
  private static final int STOPPED = 130;

  private static final int FAILED = 1;

  private final Kind kind;

  @Parameters(
      index = "0",
      paramLabel = "STUDY",
      description =
          "A study file, or one that ships with the program: frappe, frappe-width, ml100k,"
              + " trials-frappe (reproduce); ablation (ablate); scaling, scaling-rates,"
              + " scaling-frappe (sweep); search-frappe, paper-MODEL (search), MODEL being afn,"
              + " autoint, dcnv2, dlrm, finalmlp, masknet-parallel, masknet-serial, wukong or"
              + " xdeepfm.")
  private String source = "";

  @Option(
      names = "--data",
      description = "The folder that the configurations' data files lie in (${DEFAULT-VALUE}).")
  private Path data = Path.of(".");

  @Option(
      names = "--out",
      description = {
        "The folder for everything that comes of it (studies/<name> by default): report.html and"
            + " report.json, rewritten after every run; runs/<run>-s<seed>/outcome.json;"
            + " bundles/<run>/<version>."
      })
  private Optional<Path> out = Optional.empty();

  @Option(
      names = "--seeds",
      description =
          "Runs of each model, with the configuration's seed and those that follow it"
              + " (${DEFAULT-VALUE}).")
  private int seeds = 1;

  @Option(
      names = "--parallel",
      description = "Runs at once; they share the cores evenly (${DEFAULT-VALUE}: the cores).")
  private int parallel = Runtime.getRuntime().availableProcessors();

  @Option(names = "--device", description = "cpu or cuda:N (${DEFAULT-VALUE}).")
  private String device = "cpu";

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "RUN",
      description = "Only these runs, by name, separated by commas.")
  private List<String> only = List.of();

  @Option(names = "--epochs", description = "Another limit of epochs, for a trial.")
  private Optional<Integer> epochs = Optional.empty();

  @Option(
      names = "--redo",
      description = "Makes runs anew that --out has of another configuration or other data.")
  private boolean redo;

  @Option(names = "--no-bars", description = "No progress bars, for logs.")
  private boolean noBars;

  @Spec private CommandSpec spec = CommandSpec.create();

  StudyCommand(Kind kind) {
    this.kind = kind;
  }

  @Override
  public Integer call() throws Exception {
    Study study = Study.read(source);
    if (study.kind() != kind) {
      throw new ConfigException(
          "'%s' is a study of kind '%s', want kind '%s', or the command %s"
              .formatted(source, study.kind(), kind, command(study.kind())));
    }
    Path folder = out.orElse(Path.of("studies", study.name()));
    if (folder.toString().isEmpty()) {
      throw new ConfigException("--out is '', want the name of a folder");
    }
    PrintWriter lines = spec.commandLine().getOut();
    boolean bars = !noBars && Board.movesCursor();
    StudyEngine engine =
        new StudyEngine(
            study,
            new StudyEngine.Options(
                data,
                folder,
                seeds,
                parallel,
                Device.parse(device),
                Runtime.getRuntime().availableProcessors(),
                only,
                epochs.map(OptionalInt::of).orElse(OptionalInt.empty()),
                redo,
                command(kind) + " " + source),
            new Board(lines, spec.commandLine().getErr(), bars),
            new Datasets(lines, bars));
    Optional<List<Result>> results;
    // While data is encoded there is nothing to save: Ctrl-C ends that at once.
    try (Stop stop = Stop.onceAsked(Training.CHECKPOINT_TIME)) {
      results = engine.run(stop::asked);
      if (results.isEmpty()) {
        lines.println("Start the same command again to go on.");
        lines.flush();
        return STOPPED;
      }
    }
    lines.println();
    Summary.of(study, results.get()).forEach(lines::println);
    lines.printf("report %s%n", folder.resolve("report.html"));
    lines.flush();
    // A search counts with trials that lead nowhere, not with all; of other runs each was wanted.
    boolean failed =
        kind == Kind.SEARCH
            ? !Summary.hasBest(study, results.get())
            : results.get().stream().anyMatch(Failure.class::isInstance);
    return failed ? FAILED : 0;
  }

  private static String command(Kind kind) {
    return kind.toString();
  }
}
