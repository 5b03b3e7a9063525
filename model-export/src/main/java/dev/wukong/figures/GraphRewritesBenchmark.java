package dev.wukong.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.GraphInputs;
import dev.wukong.bundle.Precision;
import dev.wukong.data.InputLayout;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.TensorData;
import dev.wukong.profile.GraphProfile;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.runtime.CudaOptions;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.GraphOptions;
import dev.wukong.training.UntrainedBundle;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the rewriting of predict graphs gains over the ranker's equations as they stand. */
public final class GraphRewritesBenchmark implements Benchmark {
  private static final int CANDIDATES = 500;

  @Override
  public String name() {
    return "graph-rewrites";
  }

  @Override
  public String summary() {
    return "operators and time of predict graphs, beside those as the equations stand; a minute;"
        + " options pairs=N, runs=N, threads=N";
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int pairs = (int) context.option("pairs", 5);
    int runs = (int) context.option("runs", 10);
    int threads = (int) context.option("threads", 1);
    Accelerator cpu = Accelerator.of(new Device.Cpu());
    GraphOptions options = new GraphOptions(threads, true, CudaOptions.DEFAULT);
    List<Figure> figures = new ArrayList<>();
    for (LoadModel model : LoadModel.values()) {
      RankerConfig config = model.config();
      InputLayout layout = config.layout(LoadModel.schema(1000));
      Map<String, TensorData> weights = UntrainedBundle.weights(config, layout, 1);
      byte[] straight = bytes(RankerGraphs.straight(config, layout), weights);
      byte[] rewritten = bytes(RankerGraphs.predict(config, layout), weights);
      double[] ours = new double[pairs];
      double[] theirs = new double[pairs];
      Map<String, Integer> before = Map.of();
      Map<String, Integer> after = Map.of();
      for (int i = 0; i < pairs; i++) {
        GraphProfile reference = profile(straight, layout, cpu, options, runs);
        GraphProfile graph = profile(rewritten, layout, cpu, options, runs);
        theirs[i] = reference.millis();
        ours[i] = graph.millis();
        before = reference.counts();
        after = graph.counts();
      }
      String title = model.name().toLowerCase(Locale.ROOT);
      context.progress().printf("%s as it stands: %s%n  rewritten: %s%n", title, before, after);
      context.progress().flush();
      figures.add(Figure.ratio("time_vs_straight_" + title, ours, theirs, "-"));
      figures.add(
          Figure.of(
              "operators_" + title,
              sum(after),
              "1",
              "-",
              "as the equations stand: %d".formatted(sum(before))));
    }
    return figures;
  }

  private static int sum(Map<String, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  private static GraphProfile profile(
      byte[] graph, InputLayout layout, Accelerator on, GraphOptions options, int runs)
      throws IOException {
    return GraphProfile.of(
        graph,
        GraphInputs.of(layout, Precision.FP32),
        layout.schema().tasks().size(),
        new BatchShape(CANDIDATES, 1),
        on,
        options,
        runs);
  }

  private static byte[] bytes(Graph graph, Map<String, TensorData> weights) {
    return OnnxWriter.write(graph, Lowering.CPU, weights, Map.of()).toByteArray();
  }
}
