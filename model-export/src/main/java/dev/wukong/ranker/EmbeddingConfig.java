package dev.wukong.ranker;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The embedding layer (paper, section 3.2).
 *
 * @param width d, the width of the embeddings that interact
 * @param widths smaller (or larger) widths of single features; those embeddings are joined and
 *     projected to width d
 * @param counts several embeddings for important features; under {@link #EVERY} those of the id
 *     features that are not named
 * @param projected how many embeddings of width d the deviating features of one width become; 0: as
 *     many as their floats fill, rounded up
 * @param projection the MLP that makes them
 * @param numbers how numbers become embeddings
 * @param denseEmbeddings how many embeddings of width d the bottom MLP makes of the numbers
 * @param bottom that MLP
 * @param deviation of the normal distribution that rows start from
 */
public record EmbeddingConfig(
    int width,
    Map<String, Integer> widths,
    Map<String, Integer> counts,
    int projected,
    MlpConfig projection,
    Numbers numbers,
    int denseEmbeddings,
    MlpConfig bottom,
    double deviation) {
  /**
   * How numbers become embeddings. BOTTOM: all through one MLP; BOTTOM_RELU: with a ReLU after its
   * output too, as DLRM does; EACH: every number feature, value or vector, is an embedding of its
   * own, its numbers times a weight.
   */
  public enum Numbers {
    BOTTOM,
    BOTTOM_RELU,
    EACH
  }

  /** Stands for the id features that are not named. */
  static final String EVERY = "*";

  public EmbeddingConfig {
    // Sorted: a configuration is compared by what is written of it.
    widths = Collections.unmodifiableMap(new TreeMap<>(widths));
    counts = Collections.unmodifiableMap(new TreeMap<>(counts));
  }

  /** How many embeddings {@code feature} has. */
  int count(String feature) {
    return counts.getOrDefault(feature, counts.getOrDefault(EVERY, 1));
  }

  static EmbeddingConfig read(Section section, Numbers numbers) {
    EmbeddingConfig result =
        new EmbeddingConfig(
            section.integer("width", 16, 1, 4096),
            section.integersByName("widths", 1, 4096),
            section.integersByName("counts", 1, 64),
            section.integer("projected", 0, 0, 1024),
            MlpConfig.read(section.section("projection"), List.of()),
            section.choice("numbers", numbers),
            section.integer("dense_embeddings", 1, 1, 1024),
            MlpConfig.read(section.section("bottom"), List.of()),
            section.number("deviation", 1e-2, 0, 10));
    section.done();
    boolean bottom = !result.bottom().hidden().isEmpty() || result.denseEmbeddings() > 1;
    if (result.numbers() == Numbers.EACH && bottom) {
      throw new ConfigException(
          "%s has a bottom MLP or dense_embeddings, want neither with numbers: each, where every number has a weight of its own (numbers: bottom takes them)"
              .formatted(section.path()));
    }
    return result;
  }
}
