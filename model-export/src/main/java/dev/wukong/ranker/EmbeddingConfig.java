package dev.wukong.ranker;

import dev.wukong.config.Section;
import java.util.List;
import java.util.Map;

/**
 * The embedding layer (paper, section 3.2).
 *
 * @param width d, the width of the embeddings that interact
 * @param widths smaller (or larger) widths of single features; those embeddings are joined and
 *     projected to width d
 * @param counts several embeddings for important features
 * @param projected how many embeddings of width d the deviating features of one width become; 0: as
 *     many as their floats fill, rounded up
 * @param projection the MLP that makes them
 * @param denseEmbeddings how many embeddings of width d the numbers become
 * @param bottom the MLP that makes them
 * @param deviation of the normal distribution that rows start from
 */
public record EmbeddingConfig(
    int width,
    Map<String, Integer> widths,
    Map<String, Integer> counts,
    int projected,
    MlpConfig projection,
    int denseEmbeddings,
    MlpConfig bottom,
    double deviation) {
  public EmbeddingConfig {
    widths = Map.copyOf(widths);
    counts = Map.copyOf(counts);
  }

  static EmbeddingConfig read(Section section) {
    EmbeddingConfig result =
        new EmbeddingConfig(
            section.integer("width", 16, 1, 4096),
            section.integersByName("widths", 1, 4096),
            section.integersByName("counts", 1, 64),
            section.integer("projected", 0, 0, 1024),
            MlpConfig.read(section.section("projection"), List.of()),
            section.integer("dense_embeddings", 1, 1, 1024),
            MlpConfig.read(section.section("bottom"), List.of()),
            section.number("deviation", 1e-2, 0, 10));
    section.done();
    return result;
  }
}
