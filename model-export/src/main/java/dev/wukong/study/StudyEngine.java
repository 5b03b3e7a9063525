package dev.wukong.study;

import dev.wukong.bundle.BundleStore;
import dev.wukong.config.ConfigException;
import dev.wukong.data.DataException;
import dev.wukong.run.Datasets;
import dev.wukong.run.WorkLock;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Makes the runs of a study: in parallel, each in a folder of its own, those that have ended not
 * again. The report is written anew after each.
 */
public final class StudyEngine {
  private static final int MAX_SEEDS = 1000;
  private static final int MAX_PARALLEL = 1024;

  /** Runs that a message names. */
  private static final int NAMED = 4;

  private final Study study;
  private final Options options;
  private final Board board;
  private final Datasets datasets;
  private final Program program = Program.here();

  /**
   * How a study is made.
   *
   * @param data where data files lie
   * @param out the study's folder, made where missing
   * @param seeds runs of each model, their seeds counted up
   * @param parallel runs at once at most
   * @param device that trains and scores
   * @param cores to share among them
   * @param only names of the runs that are wanted; empty: all
   * @param epochs another limit of epochs, for a trial
   * @param redo whether runs of another configuration are removed and made anew
   * @param command for the bundles' provenance
   */
  public record Options(
      Path data,
      Path out,
      int seeds,
      int parallel,
      Device device,
      int cores,
      List<String> only,
      OptionalInt epochs,
      boolean redo,
      String command) {
    public Options {
      only = List.copyOf(only);
      check("--seeds", seeds, MAX_SEEDS);
      check("--parallel", parallel, MAX_PARALLEL);
      epochs.ifPresent(limit -> check("--epochs", limit, 100_000));
    }

    private static void check(String name, int value, int most) {
      if (value < 1 || value > most) {
        throw new ConfigException(name + " is " + value + ", want 1 to " + most);
      }
    }
  }

  /** A study's engine; {@code datasets} encodes what the runs learn from. */
  public StudyEngine(Study study, Options options, Board board, Datasets datasets) {
    this.study = study;
    this.options = options;
    this.board = board;
    this.datasets = datasets;
  }

  /**
   * Makes all runs.
   *
   * @param stop asked again and again; once true, all runs end after a checkpoint
   * @return what came of them, in the order of the plan; empty where they were stopped
   * @throws IOException where a folder cannot be used, or a run in it is of another configuration
   */
  public Optional<List<Result>> run(BooleanSupplier stop) throws IOException {
    int runs = options.seeds() * Plan.specs(study, options.only()).size();
    int parallel = Math.min(options.parallel(), runs);
    int threads = Math.max(1, options.cores() / parallel);
    List<PlannedRun> plan =
        Plan.of(study, options.seeds(), options.only(), options.epochs(), threads);
    plan.forEach(planned -> planned.check(options.device()));
    try (WorkLock _ = WorkLock.take(options.out(), "--out");
        StudyData data = new StudyData()) {
      for (PlannedRun planned : plan) {
        data.open(planned.config(), options.data(), options.out().resolve("data"), datasets);
      }
      List<StudyRun> all = claimed(plan, data);
      Results results = new Results(study, options.out());
      others(plan, threads, data).forEach(results::put);
      List<StudyRun> left = new ArrayList<>();
      for (StudyRun run : all) {
        Optional<Result> before = run.folder().result();
        before.ifPresent(result -> results.put(run, result));
        if (before.isEmpty()) {
          left.add(run);
        }
      }
      if (left.size() < all.size()) {
        board.say(
            "%d of %d runs have ended before and are not made again"
                .formatted(all.size() - left.size(), all.size()));
        sayWithoutBundle(results);
      }
      results.removeCheckpoints();
      results.report();
      new Workers(parallel, stop).each(left, (run, until) -> make(run, until, results));
      List<Result> made = results.inOrder(all);
      return made.size() == all.size() && finish(all, results, stop)
          ? Optional.of(results.inOrder(all))
          : Optional.empty();
    }
  }

  /** A search exports its best again by itself. */
  private void sayWithoutBundle(Results results) {
    List<String> gone = results.withoutBundle();
    if (!gone.isEmpty() && study.kind() != Kind.SEARCH) {
      board.say(
          "without a bundle: %s%s (to make one anew, remove its outcome.json)"
              .formatted(
                  gone.stream().limit(NAMED).collect(Collectors.joining(", ")),
                  gone.size() > NAMED ? " and %d more".formatted(gone.size() - NAMED) : ""));
    }
  }

  /**
   * Runs of the study that are not wanted now but ended before, of further seeds too: the report is
   * of all that there is.
   */
  private Map<String, Result> others(List<PlannedRun> wanted, int threads, StudyData data) {
    Set<String> labels = wanted.stream().map(PlannedRun::label).collect(Collectors.toSet());
    Map<String, Result> ended = new LinkedHashMap<>();
    boolean more = true;
    for (int seed = 0; more && seed < MAX_SEEDS; seed++) {
      more = seed < options.seeds();
      for (PlannedRun run : Plan.possible(study, seed, options.epochs(), threads)) {
        RunFolder folder = folder(run);
        if (!labels.contains(run.label()) && Files.exists(folder.path())) {
          Optional<Result.DataPrint> print = data.find(run.config()).map(StudyData.Entry::print);
          Result.Identity identity =
              run.identity(study.name(), print.orElse(Result.DataPrint.UNKNOWN));
          folder
              .ended(identity, print.isPresent())
              .ifPresent(result -> ended.put(run.label(), result));
          more = true;
        }
      }
    }
    return ended;
  }

  private RunFolder folder(PlannedRun run) {
    return new RunFolder(options.out().resolve("runs").resolve(run.label()));
  }

  private List<StudyRun> claimed(List<PlannedRun> plan, StudyData data) throws IOException {
    BundleStore bundles = new BundleStore(options.out().resolve("bundles"));
    Map<String, StudyRun> result = new LinkedHashMap<>();
    for (PlannedRun planned : plan) {
      StudyData.Entry entry = data.of(planned.config());
      Result.Identity identity = planned.identity(study.name(), entry.print());
      RunFolder folder = folder(planned);
      folder.claim(identity, options.redo());
      if (planned.first()) {
        bundles.checkWritable(planned.spec().name());
      }
      result.put(planned.label(), new StudyRun(planned, identity, entry, folder, options, program));
    }
    return List.copyOf(result.values());
  }

  private void make(StudyRun run, BooleanSupplier stop, Results results) throws IOException {
    boolean export = run.planned().first() && study.kind() != Kind.SEARCH;
    try {
      Optional<Result> made = run.make(export, stop, board, options.command());
      if (made.isPresent()) {
        board.say(results.ended(run, made.get()));
      }
    } catch (DeviceException | DataException e) {
      throw e; // No run can be made.
    } catch (UncheckedIOException e) {
      throw e.getCause(); // As of a checkpoint: what cannot be written down is not worth making.
    } catch (RuntimeException | OutOfMemoryError e) {
      // One that memory does not suffice for, say: the others go on. Not written down, so that the
      // next start tries it again.
      Path trace = run.folder().writeError(e);
      Failure failure =
          new Failure(
              run.identity(), "%s (more in %s); the next start tries it again".formatted(e, trace));
      results.put(run.planned().label(), failure);
      results.report();
      board.say(run.planned().label() + " FAILED: " + failure.message());
    }
  }

  /** A search's best model is exported, once it is known: when all trials have ended. */
  private boolean finish(List<StudyRun> all, Results results, BooleanSupplier stop)
      throws IOException {
    if (study.kind() != Kind.SEARCH) {
      return true;
    }
    Path config = options.out().resolve("best.yaml");
    if (!options.only().isEmpty()) {
      board.say("only some trials were made: without --only the best of all is exported");
      return true;
    }
    Optional<String> best = results.best();
    if (best.isEmpty()) {
      Files.deleteIfExists(config);
      board.say("no trial has a validation AUC with every seed: there is no best, no best.yaml");
      return true;
    }
    StudyRun run =
        all.stream()
            .filter(r -> r.planned().first() && r.name().equals(best.get()))
            .findFirst()
            .orElseThrow();
    if (run.folder().result().orElseThrow() instanceof Outcome outcome
        && (outcome.bundle().isEmpty() || !results.exists(outcome))) {
      // Where its checkpoints are gone it is trained again; its figures are then those of that.
      Optional<Result> exported = run.make(true, stop, board, options.command());
      if (exported.isEmpty()) {
        return false;
      }
      results.put(run, exported.get());
      // With other last bits it may be the best no more.
      return finish(all, results, stop);
    }
    run.folder().removeCheckpoints();
    BestConfig.write(config, run.planned().tree());
    results.report();
    return true;
  }
}
