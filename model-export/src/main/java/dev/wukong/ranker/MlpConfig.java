package dev.wukong.ranker;

import dev.wukong.config.Section;
import java.util.List;

/**
 * Fully connected layers: each linear, then batch normalization where asked, ReLU, dropout.
 *
 * @param hidden widths of the hidden layers; none for a single linear map
 * @param dropout the share of values dropped after each hidden layer
 */
public record MlpConfig(List<Integer> hidden, boolean batchNorm, double dropout) {
  public MlpConfig {
    hidden = List.copyOf(hidden);
  }

  static MlpConfig read(Section section, List<Integer> hidden) {
    MlpConfig result =
        new MlpConfig(
            section.integers("hidden", hidden, 1, 65536),
            section.flag("batch_norm", false),
            section.number("dropout", 0, 0, 0.99));
    section.done();
    return result;
  }
}
