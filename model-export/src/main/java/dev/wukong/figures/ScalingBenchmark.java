package dev.wukong.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.study.Result;
import dev.wukong.study.Scaling;
import dev.wukong.study.Study;
import java.nio.file.Path;
import java.util.List;

/** Quality against compute on the simulated world of rules: Wukong beside every baseline. */
public final class ScalingBenchmark implements Benchmark {
  private static final String BASELINE = "other-series";

  @Override
  public String name() {
    return "scaling";
  }

  @Override
  public String summary() {
    return "excess entropy by FLOPs an example, eight models on 10 M simulated examples; many"
        + " hours, resumable; options seeds=N, parallel=N; the report is"
        + " target/bench/scaling/study/report.html";
  }

  @Override
  public List<String> bugs() {
    return List.of(BASELINE);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    Study study = Study.read("scaling");
    Path out = context.makeParts().resolve("study");
    if (context.option("epochs", 0) != 0) {
      throw new BenchmarkException("option 'epochs' is not known here: an epoch is all there is");
    }
    List<Result> results = StudyParts.of(context, study, List.of(), out, out);
    Scaling scaling = Scaling.of(study, results, context.planted(BASELINE) ? "xdeepfm" : "wukong");
    String steps = String.join("; ", scaling.steps());
    return List.of(
        Figure.of(
            "decades", scaling.decades(), "1", ">=2", "of FLOPs an example, largest by smallest"),
        Figure.of("excess_entropy_falls", scaling.falls() ? 1 : 0, "1", ">=1", steps),
        Figure.of(
            "wukong_on_frontier",
            scaling.onFrontier() ? 1 : 0,
            "1",
            ">=1",
            "no baseline is as good with as many FLOPs; report in " + out));
  }
}
