package dev.wukong.study;

import dev.wukong.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What came of the runs so far, and the report of it. Any thread. */
final class Results {
  private final Study study;
  private final Path out;
  private final Map<String, Result> results = new LinkedHashMap<>();
  private final Map<String, StudyRun> runs = new LinkedHashMap<>();

  Results(Study study, Path out) {
    this.study = study;
    this.out = out;
  }

  synchronized void put(StudyRun run, Result result) {
    put(run.planned().label(), result);
    runs.put(run.planned().label(), run);
  }

  /** A result of a run that is not made now: a part of the report, no more. */
  synchronized void put(String label, Result result) {
    results.put(label, result);
  }

  /** Takes the result of a run that has just ended, and reports; gives a line on it. */
  synchronized String ended(StudyRun run, Result result) throws IOException {
    put(run, result);
    removeCheckpoints();
    report();
    return switch (result) {
      case Outcome outcome -> {
        Metrics test = outcome.of("test");
        yield String.format(
            Locale.ROOT,
            "%s ended: valid auc %.6f; test auc %.6f logloss %.6f; %d epochs, %.0f s, %s",
            run.planned().label(),
            outcome.validAuc(),
            test.auc(),
            test.logLoss(),
            outcome.curve().size(),
            outcome.effort().seconds(),
            outcome.bundle().isEmpty() ? "not exported" : outcome.bundle());
      }
      case Failure failure -> run.planned().label() + " FAILED: " + failure.message();
    };
  }

  /** A finished run's model is in its bundle; only the best of a search is still to be exported. */
  synchronized void removeCheckpoints() throws IOException {
    Optional<String> best = study.kind() == Kind.SEARCH ? best() : Optional.empty();
    for (StudyRun run : runs.values()) {
      boolean exported = run.planned().first() && best.equals(Optional.of(run.name()));
      if (!exported) {
        run.folder().removeCheckpoints();
      }
    }
  }

  /** The name of the run with the best mean validation AUC; of several, the first. */
  synchronized Optional<String> best() {
    return Groups.of(study, List.copyOf(results.values())).best().map(Groups.Group::name);
  }

  /** Whether the bundle of {@code outcome} is still there. */
  boolean exists(Outcome outcome) {
    return Files.exists(out.resolve(outcome.bundle()).resolve("manifest.json"));
  }

  /** The runs whose bundle is gone, by label. */
  synchronized List<String> withoutBundle() {
    return results.entrySet().stream()
        .filter(
            e ->
                e.getValue() instanceof Outcome outcome
                    && !outcome.bundle().isEmpty()
                    && !exists(outcome))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** All results in the order of {@code plan}. */
  synchronized List<Result> inOrder(List<StudyRun> plan) {
    List<Result> ordered = new ArrayList<>();
    for (StudyRun run : plan) {
      Result result = results.get(run.planned().label());
      if (result != null) {
        ordered.add(result);
      }
    }
    return ordered;
  }

  /** Writes the report of what there is. */
  synchronized void report() throws IOException {
    StudyReports.write(study, List.copyOf(results.values()), out);
  }
}
