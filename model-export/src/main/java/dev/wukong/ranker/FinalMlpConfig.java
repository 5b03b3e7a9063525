package dev.wukong.ranker;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * FinalMLP's hyperparameters (arXiv 2304.00902).
 *
 * @param first one stream
 * @param second the other stream
 * @param selection how fields are weighed before each stream; empty: not at all
 * @param heads parts in which the streams' outputs are multiplied
 */
public record FinalMlpConfig(
    EmbeddingConfig embedding,
    MlpConfig first,
    MlpConfig second,
    Optional<Selection> selection,
    int heads)
    implements RankerConfig {

  /**
   * Feature selection: gates made from a context.
   *
   * @param mlp makes the gates
   * @param first features whose own embeddings are the first stream's context; none: a learnt
   *     vector
   * @param second of the second stream
   */
  public record Selection(MlpConfig mlp, List<String> first, List<String> second) {
    public Selection {
      first = List.copyOf(first);
      second = List.copyOf(second);
    }

    static Selection read(Section section) {
      Selection result =
          new Selection(
              MlpConfig.read(section.section("mlp"), List.of(64)),
              section.texts("first"),
              section.texts("second"));
      section.done();
      boolean byBatch = result.mlp().batchNorm() || result.mlp().dropout() > 0;
      if (byBatch && (result.first().isEmpty() || result.second().isEmpty())) {
        throw new ConfigException(
            "%s.mlp has batch_norm or dropout, want neither unless first and second both name features: without them the gates are one row, the same for all"
                .formatted(section.path()));
      }
      return result;
    }
  }

  static FinalMlpConfig read(Section section) {
    FinalMlpConfig result =
        new FinalMlpConfig(
            EmbeddingConfig.read(section.section("embedding"), EmbeddingConfig.Numbers.EACH),
            MlpConfig.read(section.section("first"), List.of(64)),
            MlpConfig.read(section.section("second"), List.of(64)),
            section.has("selection")
                ? Optional.of(Selection.read(section.section("selection")))
                : Optional.empty(),
            section.integer("heads", 1, 1, 1024));
    section.done();
    check(section.path() + ".first", result.first(), result.heads());
    check(section.path() + ".second", result.second(), result.heads());
    return result;
  }

  private static void check(String path, MlpConfig stream, int heads) {
    if (stream.hidden().isEmpty()) {
      throw new ConfigException(path + ".hidden is empty, want at least one layer");
    }
    if (stream.hidden().getLast() % heads != 0) {
      throw new ConfigException(
          "%s.hidden ends with %d, want a multiple of heads, which is %d"
              .formatted(path, stream.hidden().getLast(), heads));
    }
  }

  @Override
  public List<ExtraTables> extras(int tasks) {
    List<ExtraTables> result = new ArrayList<>();
    selection.ifPresent(
        s -> {
          add(result, "selection.first", s.first());
          add(result, "selection.second", s.second());
        });
    return result;
  }

  private void add(List<ExtraTables> to, String name, List<String> features) {
    if (!features.isEmpty()) {
      to.add(ExtraTables.of(name, embedding.width(), Set.copyOf(features)));
    }
  }

  @Override
  public Tensor logits(Network net, RankerInputs inputs, int tasks) {
    return FinalMlp.logits(net, this, inputs, tasks);
  }
}
