package dev.wukong.figures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bench.BenchmarkException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StepParityTest {
  @TempDir Path folder;

  private Path file(String name, TensorFile tensors) throws IOException {
    Path file = folder.resolve(name);
    tensors.write(file, Map.of());
    return file;
  }

  @Test
  void of_tensorsApart_namesTheWorst() throws Exception {
    Path ours =
        file("a", new TensorFile().add("loss", 1).add("gradient/x", 3, 4.5f).add("w/x", 7, 7));
    Path theirs = file("b", new TensorFile().add("loss", 1.01f).add("gradient/x", 3, 4));
    StepParity parity = StepParity.of(ours, theirs);
    assertThat(parity.tensor()).isEqualTo("gradient/x");
    assertThat(parity.worst()).isCloseTo(0.1, within(1e-6)); // 0.5 of a norm of 5.
    assertThat(parity.count()).isEqualTo(2);
  }

  @Test
  void of_gradientOfRoundingOnly_isMeasuredByAllGradients() throws Exception {
    Path ours = file("a", new TensorFile().add("gradient/x", 100).add("gradient/zero", 1e-6f));
    Path theirs = file("b", new TensorFile().add("gradient/x", 100).add("gradient/zero", -1e-6f));
    assertThat(StepParity.of(ours, theirs).worst()).isCloseTo(2e-6, within(1e-8));
  }

  @Test
  void of_notANumber_isTheWorst() throws Exception {
    Path ours = file("a", new TensorFile().add("gradient/x", Float.NaN).add("loss", 5));
    Path theirs = file("b", new TensorFile().add("gradient/x", 1).add("loss", 1));
    assertThat(StepParity.of(ours, theirs))
        .isEqualTo(new StepParity(Double.MAX_VALUE, "gradient/x", 2));
  }

  @Test
  void of_otherTensorsOrShapes_isVoid() throws Exception {
    Path ours = file("a", new TensorFile().add("loss", 1));
    Path missing = file("b", new TensorFile().add("other", 1));
    Path longer = file("c", new TensorFile().add("loss", 1, 1));
    assertThatThrownBy(() -> StepParity.of(ours, missing))
        .isInstanceOf(BenchmarkException.class)
        .hasMessage("void: ours are [loss], PyTorch's are [other]");
    assertThatThrownBy(() -> StepParity.of(ours, longer))
        .isInstanceOf(BenchmarkException.class)
        .hasMessage("void: 'loss' is [1], PyTorch's is [2]");
  }
}
