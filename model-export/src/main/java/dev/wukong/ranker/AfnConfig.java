package dev.wukong.ranker;

import dev.wukong.config.Section;
import dev.wukong.graph.Tensor;
import java.util.List;

/**
 * AFN+'s hyperparameters (arXiv 1909.03276).
 *
 * @param logNeurons products of powers of the fields
 * @param afn the MLP on these
 * @param deep the MLP beside (the plus), on embeddings of its own; none without hidden layers
 */
public record AfnConfig(EmbeddingConfig embedding, int logNeurons, MlpConfig afn, MlpConfig deep)
    implements RankerConfig {

  static AfnConfig read(Section section) {
    AfnConfig result =
        new AfnConfig(
            EmbeddingConfig.read(section.section("embedding"), EmbeddingConfig.Numbers.EACH),
            section.integer("log_neurons", 64, 1, 65536),
            MlpConfig.read(section.section("afn"), List.of(64)),
            MlpConfig.read(section.section("deep"), List.of(64, 64)));
    section.done();
    return result;
  }

  @Override
  public List<ExtraTables> extras(int tasks) {
    return deep.hidden().isEmpty()
        ? List.of()
        : List.of(ExtraTables.ofAll("deep", embedding.width()));
  }

  @Override
  public Tensor logits(Network net, RankerInputs inputs, int tasks) {
    return Afn.logits(net, this, inputs, tasks);
  }
}
