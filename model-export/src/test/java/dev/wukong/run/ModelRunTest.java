package dev.wukong.run;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.config.ConfigException;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelRunTest {
  /** Each has two weights, each with two slots of Adam's state: too many tensors for a bundle. */
  private static final int LAYERS = 1700;

  @TempDir private Path folder = Path.of("");

  @Test
  void model_thatNoBundleHolds_isRefusedBeforeTraining() throws IOException {
    Files.writeString(folder.resolve("rows.csv"), "x,click\n1,1\n2,0\n");
    Path yaml =
        Files.writeString(
            folder.resolve("deep.yaml"),
            """
            name: deep
            data: {train: rows.csv}
            schema:
              name: deep
              features: [{name: x, type: number}]
              tasks: [{name: click}]
            model: {type: dlrm, interaction: cat, embedding: {width: 1}, top: {hidden: %s}}
            """
                .formatted(Collections.nCopies(LAYERS, 1)));
    RunConfig config = RunConfig.read(yaml.toString());
    Datasets datasets = new Datasets(new PrintWriter(new StringWriter()), false);
    try (EncodedSplits data =
        EncodedSplits.encode(
            Splits.of(config.data(), folder), config.schema(), folder.resolve("work"), datasets)) {
      assertThatThrownBy(() -> new ModelRun(config, data, new Device.Cpu()))
          .isInstanceOf(ConfigException.class)
          .hasMessageStartingWith("the model is too large for a bundle (dense.safetensors: ")
          .hasMessageContaining("10000 tensors");
    }
  }
}
