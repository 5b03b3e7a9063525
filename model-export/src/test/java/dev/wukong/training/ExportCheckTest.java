package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.config.ConfigException;
import dev.wukong.data.Feature;
import dev.wukong.data.InputLayout;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.ranker.RankerConfig;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What no bundle could hold is refused before it is trained. */
class ExportCheckTest {
  /** Two weights for each number, and Adam's two slots of state for each of them. */
  private static final String MODEL =
      "{type: xdeepfm, embedding: {width: 2}, cin: [2], linear: true, deep: {hidden: []}}";

  private static void check(int numbers) {
    List<Feature> features =
        IntStream.range(0, numbers).<Feature>mapToObj(ExportCheckTest::number).toList();
    Task task = new Task("click", "click", Optional.empty(), Optional.empty());
    RankerConfig model = RankerConfig.read(TrainSessionTest.yaml(MODEL));
    InputLayout layout = model.layout(new Schema("numbers", features, List.of(task)));
    TrainingConfig training = TrainingConfig.read(TrainSessionTest.yaml("{}"));
    ExportCheck.of(model, layout, training);
  }

  private static NumberFeature number(int i) {
    return new NumberFeature("x" + i, Scope.CANDIDATE, "x" + i, 1, Transform.NONE, false);
  }

  @Test
  void tensors_tooMany_areRefusedWithTheLimit() {
    check(100);
    assertThatThrownBy(() -> check(1665))
        .isInstanceOf(ConfigException.class)
        .hasMessageMatching(
            "the model is too large for a bundle \\(dense\\.safetensors: a safetensors header of"
                + " \\d+ bytes for 10003 tensors is over the limit of 1048576 bytes and 10000"
                + " tensors\\)");
  }

  /** 9,997 tensors, whose gradients and steps are too many nodes. */
  @Test
  void nodes_tooMany_areRefusedWithTheLimit() {
    assertThatThrownBy(() -> check(1664))
        .isInstanceOf(ConfigException.class)
        .hasMessage("the model is too large for a bundle (train.onnx: more than 50000 nodes)");
  }
}
