package dev.wukong.ranker;

import dev.wukong.config.Section;
import dev.wukong.graph.Tensor;
import java.util.List;

/**
 * DLRM's hyperparameters (arXiv 1906.00091).
 *
 * @param embedding numbers go through its bottom MLP
 * @param interaction how fields meet before the top MLP
 * @param top the top MLP
 */
public record DlrmConfig(EmbeddingConfig embedding, Interaction interaction, MlpConfig top)
    implements RankerConfig {

  /** DOT: the dot product of each pair of fields; CAT: the fields side by side. */
  public enum Interaction {
    DOT,
    CAT
  }

  static DlrmConfig read(Section section) {
    DlrmConfig result =
        new DlrmConfig(
            EmbeddingConfig.read(section.section("embedding"), EmbeddingConfig.Numbers.BOTTOM_RELU),
            section.choice("interaction", Interaction.DOT),
            MlpConfig.read(section.section("top"), List.of(64, 64)));
    section.done();
    return result;
  }

  @Override
  public Tensor logits(Network net, RankerInputs inputs, int tasks) {
    return Dlrm.logits(net, this, inputs, tasks);
  }
}
