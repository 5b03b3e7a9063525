package dev.wukong.ranker;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.graph.Tensor;
import java.util.List;

/**
 * MaskNet's hyperparameters (arXiv 2102.07619).
 *
 * @param arrangement of the blocks
 * @param blocks output width of each block
 * @param reduction how much wider a mask's hidden layer is than the mask
 * @param dropout the share dropped after each block
 * @param embeddingNorm whether each field is normalized before the blocks
 * @param blockNorm whether a block's output is normalized
 * @param deep the MLP on parallel blocks; not used in series
 */
public record MaskNetConfig(
    EmbeddingConfig embedding,
    Arrangement arrangement,
    List<Integer> blocks,
    double reduction,
    double dropout,
    boolean embeddingNorm,
    boolean blockNorm,
    MlpConfig deep)
    implements RankerConfig {
  public MaskNetConfig {
    blocks = List.copyOf(blocks);
  }

  /** SERIAL: each block on the one before; PARALLEL: all on the embeddings, then an MLP. */
  public enum Arrangement {
    SERIAL,
    PARALLEL
  }

  static MaskNetConfig read(Section section) {
    MaskNetConfig result =
        new MaskNetConfig(
            EmbeddingConfig.read(section.section("embedding"), EmbeddingConfig.Numbers.EACH),
            section.choice("arrangement", Arrangement.PARALLEL),
            section.integers("blocks", List.of(64, 64), 1, 65536),
            section.number("reduction", 1, 0.01, 64),
            section.number("dropout", 0, 0, 0.99),
            section.flag("embedding_norm", true),
            section.flag("block_norm", true),
            MlpConfig.read(section.section("deep"), List.of(64, 64)));
    section.done();
    if (result.blocks().isEmpty()) {
      throw new ConfigException(section.path() + ".blocks is empty, want at least one block");
    }
    return result;
  }

  @Override
  public Tensor logits(Network net, RankerInputs inputs, int tasks) {
    return MaskNet.logits(net, this, inputs, tasks);
  }
}
