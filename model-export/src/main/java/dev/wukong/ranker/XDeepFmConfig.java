package dev.wukong.ranker;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.graph.Tensor;
import java.util.List;

/**
 * xDeepFM's hyperparameters (arXiv 1803.05170).
 *
 * @param cin feature maps of each layer of the compressed interaction network
 * @param linear whether a linear model of the ids and numbers is added
 * @param deep the MLP beside; none without hidden layers
 */
public record XDeepFmConfig(
    EmbeddingConfig embedding, List<Integer> cin, boolean linear, MlpConfig deep)
    implements RankerConfig {
  public XDeepFmConfig {
    cin = List.copyOf(cin);
  }

  static XDeepFmConfig read(Section section) {
    XDeepFmConfig result =
        new XDeepFmConfig(
            EmbeddingConfig.read(section.section("embedding"), EmbeddingConfig.Numbers.EACH),
            section.integers("cin", List.of(16, 16), 1, 4096),
            section.flag("linear", true),
            MlpConfig.read(section.section("deep"), List.of(64, 64)));
    if (result.cin().isEmpty()) {
      throw new ConfigException(section.path() + ".cin is empty, want at least one layer");
    }
    section.done();
    return result;
  }

  @Override
  public List<ExtraTables> extras(int tasks) {
    return linear ? List.of(ExtraTables.ofAll("linear", tasks)) : List.of();
  }

  @Override
  public Tensor logits(Network net, RankerInputs inputs, int tasks) {
    return XDeepFm.logits(net, this, inputs, tasks);
  }
}
