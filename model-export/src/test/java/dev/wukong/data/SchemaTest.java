package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class SchemaTest {
  @Test
  void parse_shortForm_takesTheDefaults() {
    Schema schema =
        SchemaYaml.parse(
            """
            name: shop
            features:
              - {name: item, type: int64}
              - {name: history, scope: context, shares: item, max_ids: 20}
              - {name: price, type: number}
            """,
            "shop.yaml");
    IdMapping vocabulary = new IdMapping.Vocabulary(1);
    assertThat(schema.features())
        .containsExactly(
            new IdFeature(
                "item",
                Scope.CANDIDATE,
                "item",
                ValueType.INT64,
                vocabulary,
                "item",
                1,
                Pooling.MEAN,
                Optional.empty()),
            new IdFeature(
                "history",
                Scope.CONTEXT,
                "history",
                ValueType.INT64,
                vocabulary,
                "item",
                20,
                Pooling.MEAN,
                Optional.empty()),
            new NumberFeature("price", Scope.CANDIDATE, "price", 1, Transform.NONE, false));
  }

  /** To share one's own ids is to have them, so that one says how they are made. */
  @Test
  void parse_featureThatSharesItsOwnIds_saysHowTheyAreMade() {
    Schema schema =
        SchemaYaml.parse(
            """
            name: shop
            features:
              - {name: history, shares: item, max_ids: 20}
              - {name: item, type: int64, shares: item, min_count: 3}
            """,
            "shop.yaml");
    assertThat(schema.features())
        .allSatisfy(
            feature ->
                assertThat(((IdFeature) feature).mapping()).isEqualTo(new IdMapping.Vocabulary(3)));
  }

  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void writtenSchema_readAgain_isEqual(RepetitionInfo run) {
    Schema schema = random(new SplittableRandom(run.getCurrentRepetition()));
    assertThat(SchemaYaml.parse(SchemaYaml.write(schema), "yaml")).isEqualTo(schema);
    assertThat(Schema.fromJson(schema.toJson(), "json")).isEqualTo(schema);
  }

  private static Schema random(SplittableRandom random) {
    List<Feature> features = new ArrayList<>();
    int count = 1 + random.nextInt(8);
    for (int i = 0; i < count; i++) {
      String name = random.nextBoolean() ? "f" + i : "yes." + i;
      String column = random.nextBoolean() ? name : "a \"quoted\": column, " + i;
      Scope scope = random.nextBoolean() ? Scope.CONTEXT : Scope.CANDIDATE;
      String separator = random.nextBoolean() ? "|" : List.of(" ", ",", "'", "::").get(i % 4);
      features.add(
          random.nextInt(3) == 0
              ? new NumberFeature(
                  name,
                  scope,
                  column,
                  1 + random.nextInt(3),
                  random.nextBoolean() ? Transform.NONE : Transform.LOG1P,
                  random.nextBoolean(),
                  separator)
              : new IdFeature(
                  name,
                  scope,
                  column,
                  random.nextBoolean() ? ValueType.INT64 : ValueType.STRING,
                  mapping(random),
                  name,
                  1 + random.nextInt(3),
                  random.nextBoolean() ? Pooling.SUM : Pooling.MEAN,
                  random.nextBoolean() ? Optional.empty() : Optional.of("no"),
                  separator));
    }
    return new Schema(
        "true",
        features,
        List.of(
            new Task(
                "t",
                "12",
                random.nextBoolean() ? Optional.empty() : Optional.of(random.nextDouble()),
                Optional.of("w"))));
  }

  private static IdMapping mapping(SplittableRandom random) {
    return switch (random.nextInt(3)) {
      case 0 -> new IdMapping.Vocabulary(1 + random.nextInt(3));
      case 1 -> new IdMapping.Hash(random.nextInt(3) * 1000L);
      default -> new IdMapping.Buckets(List.of(-1.5, 0.0, 1e9));
    };
  }

  @Test
  void id_sameWireForm_isTheSame_elseAnother() {
    String form =
        """
        name: %s
        features:
          - {name: a, type: %s, column: %s, max_ids: %d}
          - {name: b, type: number}
        """;
    String id = SchemaYaml.parse(form.formatted("x", "int64", "a", 3), "yaml").id();
    assertThat(id).matches("[0-9a-f]{64}");
    // Held by clients: it may not change from release to release.
    assertThat(id).isEqualTo("b893fb9e788eeac178a7207b546b574665701468774ea6a7c232f51f6bf4c825");
    assertThat(SchemaYaml.parse(form.formatted("y", "int64", "other", 3), "yaml").id())
        .isEqualTo(id);
    assertThat(SchemaYaml.parse(form.formatted("x", "string", "a", 3), "yaml").id())
        .isNotEqualTo(id);
    assertThat(SchemaYaml.parse(form.formatted("x", "int64", "a", 4), "yaml").id())
        .isNotEqualTo(id);
  }

  @Test
  void infer_mixedFile_guessesTypesListsAndTheLabel() {
    ListSource source =
        new ListSource(
            List.of("timestamp", "label", "user_id", "price", "genres", "name"),
            List.of(
                new Object[] {"1", "0", "5", "1.5", "a|b", "x y"},
                new Object[] {"2", "5", "6", "", "c", "z"}));
    String yaml = SchemaInference.infer("my data", source);
    assertThat(yaml)
        .isEqualTo(
            """
            # Inferred from 2 rows of rows: check every line.
            # Left out: timestamp.
            # scope: context for what a request has once (user, time), candidate for what is ranked.
            name: my_data
            features:
              # 2 distinct integers from 5 to 6
              - {name: user_id, type: int64, scope: context, ids: vocabulary}
              # 1 distinct numbers from 1.5 to 1.5, 1 missing
              - {name: price, type: number, scope: candidate, optional: true}
              # 3 distinct texts, lists of up to 2
              - {name: genres, type: string, scope: candidate, ids: vocabulary, max_ids: 2, pooling: mean}
              # 2 distinct texts
              - {name: name, type: string, scope: candidate, ids: vocabulary}
            tasks:
              # guessed from the column's name; 2 distinct integers from 0 to 5, so the label is 1 from 3.0 on
              - {name: click, column: label, threshold: 3.0}
            """);
    assertThat(SchemaYaml.parse(yaml, "yaml").features()).hasSize(4);
  }

  @Test
  void infer_listsOfDecimals_areVectors_orLeftOut() {
    ListSource source =
        new ListSource(
            List.of("label", "picture", "tag_weights", "tags"),
            List.of(
                new Object[] {"1", "0.5|1|-2", "0.5|1", "a|b"},
                new Object[] {"0", "", "1", "c"},
                new Object[] {"0", "3|4|5", "0.25|0.5|1", "a|b|d"}));
    String yaml = SchemaInference.infer("rows", source);
    assertThat(yaml)
        .contains("{name: picture, type: number, scope: candidate, width: 3, optional: true}")
        .contains("# Left out, lists of different lengths of decimals: tag_weights (")
        .doesNotContain("name: tag_weights");
  }

  @Test
  void infer_columnsWhoseNamesBecomeOne_areNumbered() {
    ListSource source =
        new ListSource(
            List.of("label", "a b", "a_b", "a-b", "a_b_2"),
            List.of(
                new Object[] {"1", "v", "w", "x", "y"}, new Object[] {"0", "v", "w", "x", "y"}));
    String yaml = SchemaInference.infer("rows", source);
    assertThat(SchemaYaml.parse(yaml, "yaml").features())
        .extracting(Feature::name, Feature::column)
        .containsExactly(
            tuple("a_b", "a b"),
            tuple("a_b_2", "a_b"),
            tuple("a-b", "a-b"),
            tuple("a_b_2_2", "a_b_2"));
  }

  /** Digits that no int64 holds are names, not numbers. */
  @Test
  void infer_digitsBeyondInt64_areText() {
    ListSource source =
        new ListSource(
            List.of("label", "largest", "larger"),
            List.of(
                new Object[] {"1", "9223372036854775807", "9223372036854775808"},
                new Object[] {"0", "1", "1"}));
    String yaml = SchemaInference.infer("rows", source);
    assertThat(yaml)
        .contains("{name: largest, type: int64,")
        .contains("{name: larger, type: string,");
  }
}
