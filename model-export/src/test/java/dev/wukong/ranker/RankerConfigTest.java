package dev.wukong.ranker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.dataformat.yaml.YAMLMapper;

class RankerConfigTest {
  private static RankerConfig read(String yaml) {
    return RankerConfig.read(Section.of("model", new YAMLMapper().readTree(yaml)));
  }

  @Test
  void toJson_defaultsAndChoices_readBackEqual() {
    RankerConfig config =
        read(
            """
            type: wukong
            embedding: {width: 32, widths: {city: 8}, counts: {item: 2}, bottom: {hidden: [64]}}
            fm: low_rank
            head: {hidden: [10, 5], batch_norm: true, dropout: 0.25}
            """);
    assertThat(RankerConfig.read(Section.of("model", config.toJson()))).isEqualTo(config);
    assertThat(config.toJson().path("rank").asInt()).isEqualTo(8);
  }

  @Test
  void counts_star_standsForFeaturesThatAreNotNamed() {
    EmbeddingConfig config = read("{embedding: {counts: {item: 3, '*': 2}}}").embedding();
    assertThat(config.count("item")).isEqualTo(3);
    assertThat(config.count("user")).isEqualTo(2);
    assertThat(read("{embedding: {counts: {item: 3}}}").embedding().count("user")).isEqualTo(1);
  }

  /** Configurations of studies are compared by their text, in another process too. */
  @Test
  void toJson_countsOfManyFeatures_isSorted() {
    String json =
        read("{embedding: {counts: {z: 2, b: 3, y: 4, a: 5, x: 6}}}")
            .toJson()
            .path("embedding")
            .path("counts")
            .toString();
    assertThat(json).isEqualTo("{\"a\":5,\"b\":3,\"x\":6,\"y\":4,\"z\":2}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{type: lr}; model.type is 'lr', want one of afn, autoint, dcnv2, dlrm, finalmlp, masknet,"
            + " wukong, xdeepfm",
        "{layers: 0}; model.layers is 0, want a whole number from 1 to 64",
        "{fm: best}; model.fm is 'best', want one of plain, low_rank, attentive",
        "{head: {hidden: 512}}; model.head.hidden is 512, want a list of whole numbers such as"
            + " [512, 256]",
        "{head: {dropout: 1}}; model.head.dropout is 1, want a number from 0.0 to 0.99",
        "{embedding: {width: x}}; model.embedding.width is \"x\", want a whole number from 1 to"
            + " 4096",
        "{type: dcnv2, embedding: {bottom: {hidden: [8]}}}; model.embedding has a bottom MLP or"
            + " dense_embeddings, want neither with numbers: each, where every number has a weight"
            + " of its own (numbers: bottom takes them)",
        "{type: finalmlp, selection: {mlp: {dropout: 0.1}, first: [user]}}; model.selection.mlp has"
            + " batch_norm or dropout, want neither unless first and second both name features:"
            + " without them the gates are one row, the same for all",
        "{fm_embeddings: 0, linear_embeddings: 0}; model: fm_embeddings and linear_embeddings are"
            + " both 0, want at least one",
      })
  void read_badValue_namesPathValueAndWhatIsAllowed(String yaml, String message) {
    assertThatThrownBy(() -> read(yaml)).isInstanceOf(ConfigException.class).hasMessage(message);
  }

  @Test
  void read_misspeltKey_isRefused() {
    assertThatThrownBy(() -> read("{layer: 3}"))
        .isInstanceOf(ConfigException.class)
        .hasMessageMatching("model.layer is not known, want one of .*\\blayers\\b.*");
  }
}
