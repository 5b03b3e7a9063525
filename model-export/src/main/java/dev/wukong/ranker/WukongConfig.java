package dev.wukong.ranker;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.graph.Tensor;
import java.util.List;

/**
 * Wukong's hyperparameters, in the paper's letters.
 *
 * @param layers l, the number of interaction layers
 * @param fmEmbeddings nF, embeddings that a layer's factorization machine block gives
 * @param linearEmbeddings nL, embeddings that its linear compression block gives
 * @param rank k of the low-rank product X (Xᵀ Y)
 * @param fm how Y is made
 * @param fmMlp the MLP of the factorization machine block
 * @param attention makes the attentive Y
 * @param head the final MLP
 * @param residual whether a layer adds its input
 * @param fmBlock false: the factorization machine block gives zeros, for the paper's ablation
 * @param linearBlock false: the linear compression block gives zeros, likewise
 */
public record WukongConfig(
    EmbeddingConfig embedding,
    int layers,
    int fmEmbeddings,
    int linearEmbeddings,
    int rank,
    FactorizationMachine fm,
    MlpConfig fmMlp,
    AttentionConfig attention,
    MlpConfig head,
    boolean residual,
    boolean fmBlock,
    boolean linearBlock)
    implements RankerConfig {

  /**
   * The factorization machine inside a layer (paper, section 3.4). PLAIN is X Xᵀ; LOW_RANK is X (Xᵀ
   * Y) with Y a weight; ATTENTIVE, the paper's default, makes Y from the input.
   */
  public enum FactorizationMachine {
    PLAIN,
    LOW_RANK,
    ATTENTIVE
  }

  /**
   * Makes the attentive Y.
   *
   * @param compressed how many embeddings the input is linearly compressed to
   * @param mlp from these to Y
   */
  public record AttentionConfig(int compressed, MlpConfig mlp) {}

  static WukongConfig read(Section section) {
    Section attention = section.section("attention");
    AttentionConfig attentionConfig =
        new AttentionConfig(
            attention.integer("compressed", 4, 1, 4096),
            MlpConfig.read(attention.section("mlp"), List.of(64)));
    attention.done();
    WukongConfig result =
        new WukongConfig(
            EmbeddingConfig.read(section.section("embedding"), EmbeddingConfig.Numbers.BOTTOM),
            section.integer("layers", 2, 1, 64),
            section.integer("fm_embeddings", 8, 0, 4096),
            section.integer("linear_embeddings", 8, 0, 4096),
            section.integer("rank", 8, 1, 4096),
            section.choice("fm", FactorizationMachine.ATTENTIVE),
            MlpConfig.read(section.section("fm_mlp"), List.of(64)),
            attentionConfig,
            MlpConfig.read(section.section("head"), List.of(64)),
            section.flag("residual", true),
            section.flag("fm_block", true),
            section.flag("linear_block", true));
    section.done();
    if (result.fmEmbeddings() + result.linearEmbeddings() == 0) {
      throw new ConfigException(
          section.path() + ": fm_embeddings and linear_embeddings are both 0, want at least one");
    }
    return result;
  }

  @Override
  public Tensor logits(Network net, RankerInputs inputs, int tasks) {
    return Wukong.logits(net, this, new Fields(net, inputs, this).embeddings(), tasks);
  }
}
