package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.serving.figures.PeerSweep.Tried;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** This server beside those that a user would pick instead, each at its best settings. */
public final class PeersBenchmark implements Benchmark {
  private static final String OTHER_WEIGHTS = "other-weights";
  private static final String ALL_PEERS = "pytriton+mlserver+ray";
  private static final String ALL_MODELS = "large+small";
  private static final long ROWS = 1_000_000;

  /** A server that gets less of its core at its capacity shares it, and nothing is said. */
  private static final long LEAST_BUSY_PERCENT = 80;

  @Override
  public String name() {
    return "peers";
  }

  @Override
  public String summary() {
    return "rows a second, p99 and processor time beside Triton, MLServer and Ray Serve; some 20"
        + " minutes, less where settings were tried before; options peers="
        + ALL_PEERS
        + ", models="
        + ALL_MODELS
        + ", rows=N, pairs=N, seconds=N of a load, warm=N seconds, sweep=N seconds a setting,"
        + " busy=PERCENT of its core that a server must get";
  }

  @Override
  public List<String> bugs() {
    return List.of(OTHER_WEIGHTS);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    List<PeerKind> kinds;
    List<LoadModel> models = new ArrayList<>();
    try {
      kinds = PeerKind.parse(context.options().getOrDefault("peers", ALL_PEERS));
      for (String name : context.options().getOrDefault("models", ALL_MODELS).split("\\+", -1)) {
        models.add(LoadModel.valueOf(name.toUpperCase(Locale.ROOT)));
      }
    } catch (IllegalArgumentException e) {
      throw new BenchmarkException(
          "options: peers are some of %s, models some of %s".formatted(ALL_PEERS, ALL_MODELS));
    }
    for (PeerKind kind : kinds) {
      Peer.python(context, kind);
    }
    List<Figure> figures = new ArrayList<>();
    for (LoadModel model : models) {
      // The first model's are the figures by which this server is judged.
      figures.addAll(measure(context, model, kinds, figures.isEmpty()));
    }
    return figures;
  }

  private static List<Figure> measure(
      BenchmarkContext context, LoadModel model, List<PeerKind> kinds, boolean judged)
      throws Exception {
    long rows = context.option("rows", ROWS);
    context.progress().println(model.title() + ": writing the bundle and its two graphs");
    context.progress().flush();
    PeerModel written =
        PeerModel.write(model, context.makeParts(), rows, context.planted(OTHER_WEIGHTS) ? 2 : 1);
    try (CallerCore _ = CallerCore.take()) {
      PeerSides sides = PeerSides.of(context, CallerCore.SERVER, written);
      double leastBusy = context.option("busy", LEAST_BUSY_PERCENT) / 100.0;
      List<Tried> tried = new PeerSweep(context, written, sides, rows, leastBusy).run(kinds);
      return new PeerPairs(context, model, sides, tried, leastBusy).figures(judged);
    }
  }
}
