package dev.wukong.study;

import dev.wukong.config.ConfigException;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.Watch;
import dev.wukong.run.ModelRun;
import dev.wukong.runtime.Device;
import dev.wukong.training.NotFiniteException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Makes one run: train, measure, export, and write down what came of it. One thread. */
final class StudyRun {
  private final PlannedRun planned;
  private final Result.Identity identity;
  private final StudyData.Entry data;
  private final RunFolder folder;
  private final Path out;
  private final Device device;
  private final Program program;

  /**
   * A run.
   *
   * @param options where the study's folder is, and the device
   */
  StudyRun(
      PlannedRun planned,
      Result.Identity identity,
      StudyData.Entry data,
      RunFolder folder,
      StudyEngine.Options options,
      Program program) {
    this.planned = planned;
    this.identity = identity;
    this.data = data;
    this.folder = folder;
    this.out = options.out();
    this.device = options.device();
    this.program = program;
  }

  PlannedRun planned() {
    return planned;
  }

  String name() {
    return planned.spec().name();
  }

  Result.Identity identity() {
    return identity;
  }

  RunFolder folder() {
    return folder;
  }

  /**
   * Trains from where the folder's checkpoint stands: from the start where there is none, and not
   * at all where it is one of the end.
   *
   * @param export whether its model is exported
   * @return empty where it was stopped; all that was done is then in a checkpoint
   */
  Optional<Result> make(boolean export, BooleanSupplier stop, Board board, String command)
      throws IOException {
    try (ModelRun run = new ModelRun(planned.config(), data.splits(), device);
        Board.Line line = board.line(planned.label(), data.splits().train().rows())) {
      RunListener listener = new RunListener(folder, line, data.splits().train().rows());
      if (!run.train(folder.path(), stop, listener)) {
        return Optional.empty();
      }
      Map<String, Map<String, Metrics>> metrics = run.evaluate();
      Map<String, Outcome.TaskDetail> test = TestFigures.of(run, data);
      String bundle = export ? export(run, metrics, command) : "";
      Outcome outcome = outcome(run, metrics, test, bundle);
      folder.write(outcome);
      return Optional.of(outcome);
    } catch (NotFiniteException | ConfigException e) {
      Failure failure = new Failure(identity, String.valueOf(e.getMessage()));
      folder.write(failure);
      return Optional.of(failure);
    }
  }

  private String export(ModelRun run, Map<String, Map<String, Metrics>> metrics, String command)
      throws IOException {
    Path bundle = run.export(out.resolve("bundles"), metrics, command).folder();
    return out.toAbsolutePath().relativize(bundle.toAbsolutePath()).toString();
  }

  private Outcome outcome(
      ModelRun run,
      Map<String, Map<String, Metrics>> metrics,
      Map<String, Outcome.TaskDetail> test,
      String bundle)
      throws IOException {
    List<CurvePoint> curve = folder.curve().read();
    ModelRun.Size size = run.size();
    double seconds = curve.stream().mapToDouble(CurvePoint::seconds).sum();
    long examples = curve.size() * data.splits().train().rows();
    return new Outcome(
        identity,
        firstTask(),
        new Outcome.Size(
            size.denseWeights(),
            size.embeddingRows(),
            size.embeddingWeights(),
            size.parameters(),
            size.flops(),
            3 * size.flops()),
        curve,
        folder.losses().read(),
        curve.stream().filter(CurvePoint::best).mapToInt(CurvePoint::epoch).max().orElse(0),
        metrics,
        test,
        new Outcome.Effort(
            examples,
            seconds,
            examples / seconds,
            planned.config().training().threads(),
            program.machine(device),
            program.version(),
            program.commit()),
        bundle);
  }

  /** The task that chooses the best epoch, or the first of several. */
  private String firstTask() {
    Watch watch = new Watch(planned.config().training().plateau().watch());
    return watch.isMean() ? planned.config().schema().tasks().getFirst().name() : watch.task();
  }
}
