package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.data.DataException;
import dev.wukong.data.EncodedDataset;
import dev.wukong.metrics.Measure;
import dev.wukong.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What decides which epoch is the best, and when the learning rates fall. */
class PlateauTest {
  @TempDir private Path folder = Path.of("");
  private SmallTraining small;

  @BeforeEach
  void data() {
    small = new SmallTraining(folder, 1);
  }

  @AfterEach
  void close() {
    small.close();
  }

  private static Metrics auc(double auc) {
    return new Metrics(100, 100, auc, Double.isNaN(auc) ? 0.1 : 1 - auc, 0.9, 1, 0.2, 0.2);
  }

  private static ValidationFigure figure(String watch, Measure measure, EncodedDataset valid) {
    return ValidationFigure.of(
        new TrainingConfig.PlateauConfig(0.1, 1e-6, 2, watch, measure, false), valid);
  }

  @Test
  void figure_ofATask_isItsAucOrLogLoss_ofMean_isTheMean() {
    Map<String, Metrics> validation = Map.of("click", auc(0.75), "conversion", auc(0.5));
    assertThat(figure("click", Measure.AUC, small.valid).of(validation)).isEqualTo(0.75);
    assertThat(figure("conversion", Measure.AUC, small.valid).of(validation)).isEqualTo(0.5);
    assertThat(figure("mean", Measure.AUC, small.valid).of(validation)).isEqualTo(0.625);
    assertThat(figure("click", Measure.LOG_LOSS, small.valid).of(validation)).isEqualTo(-0.25);
    assertThat(figure("mean", Measure.LOG_LOSS, small.valid).of(validation)).isEqualTo(-0.375);
  }

  /** A request of ten candidates in which something is clicked and nothing converts. */
  @Test
  void figure_labelsOfOneKind_isLeftOutOfTheMean_orRefused() {
    try (EncodedDataset few = small.encode("few", 0, 1)) {
      Map<String, Metrics> validation = Map.of("click", auc(0.75), "conversion", auc(Double.NaN));
      assertThat(figure("mean", Measure.AUC, few).of(validation)).isEqualTo(0.75);
      assertThat(figure("mean", Measure.LOG_LOSS, few).of(validation)).isEqualTo(-0.25);
      assertThatThrownBy(() -> figure("conversion", Measure.AUC, few))
          .isInstanceOf(DataException.class)
          .hasMessage(
              "the validation data has no AUC of task 'conversion', which training.plateau.watch"
                  + " names: examples of both labels are needed, but 'conversion' has 0 alone");
    }
  }

  @Test
  void run_watchesTheNamedTask() throws IOException {
    follows("click", epoch -> figure(epoch, "click"));
    follows("conversion", epoch -> figure(epoch, "conversion"));
    follows("mean", e -> (figure(e, "click") + figure(e, "conversion")) / 2);
    follows(
        "click, measure: log_loss", e -> -e.validation().getOrDefault("click", auc(0)).logLoss());
  }

  private static double figure(Trainer.Epoch epoch, String task) {
    Metrics metrics = epoch.validation().get(task);
    return metrics == null ? Double.NaN : metrics.auc();
  }

  /**
   * With rates that nothing is learnt at after the first epoch without gain, what follows shows
   * which state training went on from.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void run_restore_goesOnFromTheBest(boolean restore) throws IOException {
    List<Trainer.Epoch> epochs = new ArrayList<>();
    // Without batch normalization, whose running statistics follow the data at any rate.
    run(
        SmallTraining.MODEL.replace("batch_norm: true, ", ""),
        "factor: 1e-9, floor: 0, watch: click, restore: " + restore,
        epochs);
    int lost = 0;
    while (epochs.get(lost).best()) {
      lost++;
    }
    assertThat(lost).as("the first epoch without gain").isBetween(1, 6);
    double best = figure(epochs.get(lost - 1), "click");
    double fallen = figure(epochs.get(lost), "click");
    assertThat(fallen).isLessThan(best);
    for (Trainer.Epoch epoch : epochs.subList(lost + 1, epochs.size())) {
      assertThat(figure(epoch, "click"))
          .isCloseTo(restore ? best : fallen, within((best - fallen) / 10));
    }
  }

  /**
   * Trains eight epochs with {@code plateau} and gives what the validation data says at the end.
   */
  private Map<String, Metrics> run(String model, String plateau, List<Trainer.Epoch> epochs)
      throws IOException {
    String training =
        SmallTraining.TOUCHED
            .replace("epochs: 3", "epochs: 8")
            .replace("{stop_after: 0}", "{stop_after: 0, " + plateau + "}");
    try (TrainSession session = small.session(model, training)) {
      boolean ended =
          new Trainer(
                  session,
                  small.train,
                  Optional.of(small.valid),
                  Files.createTempDirectory(folder, "work"),
                  System::nanoTime,
                  () -> false)
              .run(new Epochs(epochs));
      assertThat(ended).isTrue();
      return Evaluator.evaluate(session::score, small.valid, 64, rows -> {});
    }
  }

  /** Best is what exceeds all before by more than rounding; any other epoch lowers the rates. */
  private void follows(String watch, ToDoubleFunction<Trainer.Epoch> figure) throws IOException {
    List<Trainer.Epoch> epochs = new ArrayList<>();
    Map<String, Metrics> restored =
        run(SmallTraining.MODEL, "factor: 0.5, watch: " + watch, epochs);
    double best = Double.NEGATIVE_INFINITY;
    double factor = 1;
    Map<String, Metrics> ofBest = Map.of();
    for (Trainer.Epoch epoch : epochs) {
      assertThat(epoch.factor()).isEqualTo(factor);
      boolean gain = figure.applyAsDouble(epoch) > best + 1e-6;
      assertThat(epoch.best()).as(watch + " in epoch " + epoch.epoch()).isEqualTo(gain);
      if (gain) {
        best = figure.applyAsDouble(epoch);
        ofBest = epoch.validation();
      } else {
        factor *= 0.5;
      }
    }
    assertThat(epochs).hasSize(8);
    assertThat(factor).as("some epoch brought nothing").isLessThan(1);
    assertThat(restored).isEqualTo(ofBest);
  }

  record Epochs(List<Trainer.Epoch> all) implements Trainer.Listener {
    @Override
    public void progress(int epoch, long rows, long of, double loss) {}

    @Override
    public void epoch(Trainer.Epoch epoch) {
      all.add(epoch);
    }

    @Override
    public void resumed(int epochs, long rows, long of) {}

    @Override
    public void stopped(int epochs, long rows, long of) {}
  }
}
