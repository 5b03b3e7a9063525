package dev.wukong.ranker;

import dev.wukong.config.Section;
import dev.wukong.graph.Tensor;
import java.util.List;

/**
 * DCN-V2's hyperparameters (arXiv 2008.13535).
 *
 * @param structure where the deep part stands
 * @param layers cross layers
 * @param rank 0: the cross layers' weights are whole matrices; else the rank of a low-rank mixture
 * @param experts low-rank maps mixed in a layer; a single one has no gate
 * @param deep the deep part; not used by a cross network alone
 */
public record DcnV2Config(
    EmbeddingConfig embedding,
    Structure structure,
    int layers,
    int rank,
    int experts,
    MlpConfig deep)
    implements RankerConfig {

  /** PARALLEL: beside the cross layers; STACKED: after them; CROSS_ONLY: nowhere. */
  public enum Structure {
    PARALLEL,
    STACKED,
    CROSS_ONLY
  }

  static DcnV2Config read(Section section) {
    DcnV2Config result =
        new DcnV2Config(
            EmbeddingConfig.read(section.section("embedding"), EmbeddingConfig.Numbers.EACH),
            section.choice("structure", Structure.PARALLEL),
            section.integer("layers", 3, 1, 64),
            section.integer("rank", 0, 0, 65536),
            section.integer("experts", 4, 1, 64),
            MlpConfig.read(section.section("deep"), List.of(64, 64)));
    section.done();
    return result;
  }

  @Override
  public Tensor logits(Network net, RankerInputs inputs, int tasks) {
    return DcnV2.logits(net, this, inputs, tasks);
  }
}
