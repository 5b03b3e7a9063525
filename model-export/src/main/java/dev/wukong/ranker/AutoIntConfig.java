package dev.wukong.ranker;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.graph.Tensor;
import java.util.List;

/**
 * AutoInt+'s hyperparameters (arXiv 1810.11921).
 *
 * @param layers self-attention layers
 * @param attention width of a layer's output, all heads together
 * @param scaled whether products are divided by the root of a head's width
 * @param residual whether a layer adds its input, projected where widths differ
 * @param norm whether a layer's output is normalized
 * @param dropout the share of attention dropped
 * @param linear whether a linear model of the ids and numbers is added
 * @param deep the MLP beside (the plus); none without hidden layers
 */
public record AutoIntConfig(
    EmbeddingConfig embedding,
    int layers,
    int attention,
    int heads,
    boolean scaled,
    boolean residual,
    boolean norm,
    double dropout,
    boolean linear,
    MlpConfig deep)
    implements RankerConfig {

  static AutoIntConfig read(Section section) {
    AutoIntConfig result =
        new AutoIntConfig(
            EmbeddingConfig.read(section.section("embedding"), EmbeddingConfig.Numbers.EACH),
            section.integer("layers", 3, 1, 64),
            section.integer("attention", 64, 1, 65536),
            section.integer("heads", 2, 1, 1024),
            section.flag("scaled", true),
            section.flag("residual", true),
            section.flag("norm", true),
            section.number("dropout", 0, 0, 0.99),
            section.flag("linear", false),
            MlpConfig.read(section.section("deep"), List.of(64, 64)));
    section.done();
    if (result.attention() % result.heads() != 0) {
      throw new ConfigException(
          "%s.attention is %d, want a multiple of heads, which is %d"
              .formatted(section.path(), result.attention(), result.heads()));
    }
    return result;
  }

  @Override
  public List<ExtraTables> extras(int tasks) {
    return linear ? List.of(ExtraTables.ofAll("linear", tasks)) : List.of();
  }

  @Override
  public Tensor logits(Network net, RankerInputs inputs, int tasks) {
    return AutoInt.logits(net, this, inputs, tasks);
  }
}
