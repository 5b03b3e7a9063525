package dev.wukong.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.cli.ServiceProcess;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.FileFormat;
import dev.wukong.metrics.Metrics;
import dev.wukong.run.DataConfig;
import dev.wukong.run.RunConfig;
import dev.wukong.runtime.Device;
import dev.wukong.study.Outcome;
import dev.wukong.study.Published;
import dev.wukong.study.Result;
import dev.wukong.study.RunSpec;
import dev.wukong.study.Study;
import dev.wukong.training.BundleScorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The eight models on Frappe beside the published figures, the baselines at Wukong's width too, and
 * all eight bundles in one service.
 */
public final class ReproduceBenchmark implements Benchmark {
  private static final String WORSE_AUC = "worse-auc";
  private static final String OTHER_MODEL = "other-model";
  private static final String WUKONG = "wukong";
  private static final String AFN = "afn";

  @Override
  public String name() {
    return "reproduce";
  }

  @Override
  public String summary() {
    return "eight models on Frappe beside the published figures, and all in one service; hours,"
        + " resumable; options seeds=N, parallel=N, width=0 for the published widths alone,"
        + " epochs=N for a trial without figures";
  }

  @Override
  public List<String> bugs() {
    return List.of(WORSE_AUC, OTHER_MODEL);
  }

  /** The mean figures of a run over its seeds. */
  private record Reached(
      RunSpec spec, double auc, double logLoss, double coreSeconds, double rate, int seeds) {}

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    long epochs = context.option("epochs", 0);
    boolean trial = epochs > 0;
    Path parts = context.makeParts().resolve(trial ? "trial-" + epochs : "whole");
    context.jar("service"); // Missing things are named before the long part.
    Map<String, Reached> published = reached(context, "frappe", parts, _ -> true);
    Map<String, Reached> wide =
        context.option("width", 1) == 0
            ? Map.of()
            : reached(context, "frappe-width", parts, run -> !run.startsWith(WUKONG));
    List<Figure> figures = new ArrayList<>(quality(context, published, wide));
    figures.addAll(effort(published, wide));
    figures.addAll(served(context, parts.resolve("frappe"), published));
    if (trial) {
      figures.forEach(f -> context.progress().printf("%s %s%n", f.name(), f.value()));
      throw new BenchmarkException("void: option 'epochs' makes this a trial, without figures");
    }
    return figures;
  }

  /** Trains what {@code study} lists and is {@code wanted}, or finds that it has been. */
  private static Map<String, Reached> reached(
      BenchmarkContext context, String study, Path parts, Predicate<String> wanted)
      throws IOException, BenchmarkException {
    Study read = Study.read(study);
    List<RunSpec> runs = read.runs().stream().filter(run -> wanted.test(run.name())).toList();
    List<Result> results =
        StudyParts.of(
            context,
            read,
            runs.stream().map(RunSpec::name).toList(),
            context.data("frappe"),
            parts.resolve(study));
    Map<String, List<Outcome>> byRun = new LinkedHashMap<>();
    for (Result result : results) {
      if (result instanceof Outcome outcome) {
        byRun.computeIfAbsent(outcome.identity().run(), _ -> new ArrayList<>()).add(outcome);
      }
    }
    Map<String, Reached> reached = new LinkedHashMap<>();
    for (RunSpec spec : runs) {
      List<Outcome> own = byRun.getOrDefault(spec.name(), List.of());
      reached.put(
          spec.name(),
          new Reached(
              spec,
              own.stream().mapToDouble(o -> test(o).auc()).average().orElseThrow(),
              own.stream().mapToDouble(o -> test(o).logLoss()).average().orElseThrow(),
              own.stream().mapToDouble(o -> o.effort().seconds() * o.effort().threads()).sum(),
              own.stream().mapToDouble(o -> o.effort().examplesPerSecond()).average().orElseThrow(),
              own.size()));
    }
    return reached;
  }

  private static Metrics test(Outcome outcome) {
    Metrics metrics = outcome.metrics().getOrDefault("test", Map.of()).get(outcome.task());
    if (metrics == null) {
      throw new IllegalStateException(outcome.identity() + " has no test figures");
    }
    return metrics;
  }

  private static List<Figure> quality(
      BenchmarkContext context, Map<String, Reached> published, Map<String, Reached> wide) {
    double worse = context.planted(WORSE_AUC) ? 0.01 : 0;
    double shortfall = Double.NEGATIVE_INFINITY;
    double afn = Double.NaN;
    double logLoss = Double.NEGATIVE_INFINITY;
    double best = Double.NEGATIVE_INFINITY;
    StringBuilder each = new StringBuilder();
    StringBuilder losses = new StringBuilder();
    for (Reached run : published.values()) {
      if (run.spec().name().equals(WUKONG)) {
        continue;
      }
      Published target = run.spec().published().getFirst();
      double missing = target.auc() - (run.auc() - worse);
      each.append(
          String.format(
              Locale.ROOT, "%s %.6f (%.6f) ", run.spec().name(), run.auc(), target.auc()));
      losses.append(
          String.format(
              Locale.ROOT, "%s %.4f (%.4f) ", run.spec().name(), run.logLoss(), target.logLoss()));
      logLoss = Math.max(logLoss, run.logLoss() - target.logLoss());
      best = Math.max(best, run.auc() - worse);
      if (run.spec().name().equals(AFN)) {
        afn = missing;
      } else {
        shortfall = Math.max(shortfall, missing);
      }
    }
    StringBuilder wides = new StringBuilder();
    for (Reached run : wide.values()) {
      best = Math.max(best, run.auc());
      wides.append(String.format(Locale.ROOT, "%s %.6f ", run.spec().name(), run.auc()));
    }
    Reached wukong = published.get(WUKONG);
    double auc = (wukong == null ? Double.NaN : wukong.auc()) - worse;
    String note = each + "(published)";
    return List.of(
        Figure.of("auc_shortfall_max", shortfall, "1", "<=0.001", note),
        Figure.of("auc_shortfall_afn", afn, "1", "<=0.002", "its published deviation is 0.0014"),
        Figure.of("logloss_excess_max", logLoss, "nats", "<=0.01", losses + "(published)"),
        Figure.of("wukong_auc", auc, "1", ">=0.9874", "test; chosen by the validation data"),
        Figure.of(
            "wukong_minus_best_baseline_auc",
            auc - best,
            "1",
            ">0",
            wide.isEmpty() ? "published widths alone" : wides.toString()));
  }

  private static List<Figure> effort(Map<String, Reached> published, Map<String, Reached> wide) {
    int cores = Runtime.getRuntime().availableProcessors();
    double seconds = published.values().stream().mapToDouble(Reached::coreSeconds).sum() / cores;
    double wider = wide.values().stream().mapToDouble(Reached::coreSeconds).sum() / cores;
    List<Figure> figures = new ArrayList<>();
    figures.add(
        Figure.of(
            "seconds",
            seconds,
            "s",
            "-",
            String.format(
                Locale.ROOT,
                "core seconds of training the eight by the %d cores here; at Wukong's width %.0f s"
                    + " more",
                cores,
                wider)));
    for (Reached run : published.values()) {
      figures.add(
          Figure.of(
              "examples_per_second_" + run.spec().name(),
              run.rate(),
              "1/s",
              "-",
              String.format(
                  Locale.ROOT, "%.0f core seconds, %d seeds", run.coreSeconds(), run.seeds())));
    }
    return figures;
  }

  /** All bundles in one service: every test row by gRPC against the exported bundle's own score. */
  private static List<Figure> served(
      BenchmarkContext context, Path study, Map<String, Reached> published)
      throws IOException, BenchmarkException {
    Path work = Files.createDirectories(study.resolve("service"));
    FrappeBenchmark.delete(work.resolve("store"));
    Path bundles = study.resolve("bundles");
    DataConfig.Files files = FrappeBenchmark.files(RunConfig.read("frappe"));
    Path test = context.data("frappe").resolve(files.test().orElseThrow());
    FileFormat format = files.format(test);
    double largest = 0;
    int models = 0;
    long rows = 0;
    try (ServiceProcess process = ServiceProcess.start(context.jar("service"), bundles, work)) {
      for (String model : published.keySet()) {
        String asked = context.planted(OTHER_MODEL) && model.equals(WUKONG) ? "dlrm" : model;
        float[] own = own(bundles, model, format, test, work.resolve("test.encoded"));
        float[] got = ServedRows.of(process, asked, format, test, own.length);
        largest = Math.max(largest, ServedRows.difference("gRPC", own, got));
        models++;
        rows += got.length;
      }
    }
    return List.of(
        Figure.of("served_models", models, "1", "8", "in one service, each with all test rows"),
        Figure.of("served_rows", (double) rows, "1", "230880", "28,860 of each model"),
        Figure.of("served_max_diff", largest, "1", "<=1e-6", "to the exported bundle's score"));
  }

  /** The newest version's own probabilities of the test rows. */
  private static float[] own(Path bundles, String model, FileFormat format, Path test, Path encoded)
      throws IOException {
    Path newest = new BundleStore(bundles).newest(model).orElseThrow();
    try (Bundle bundle = Bundle.open(newest);
        BundleScorer scorer = new BundleScorer(bundle, new Device.Cpu(), 1);
        EncodedDataset data = BundleScores.encode(scorer, format, test, encoded)) {
      return BundleScores.of(scorer, data).probabilities();
    }
  }
}
