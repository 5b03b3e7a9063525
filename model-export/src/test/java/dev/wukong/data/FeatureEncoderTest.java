package dev.wukong.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class FeatureEncoderTest {
  private static final Schema SCHEMA =
      SchemaYaml.parse(
          """
          name: all-kinds
          features:
            - {name: user, type: int64, scope: context}
            - {name: history, scope: context, shares: item, max_ids: 3, weights: history_weights}
            - {name: query, type: string, scope: context, ids: hash, buckets: 100}
            - {name: age, type: number, scope: context, optional: true}
            - {name: item, type: string}
            - {name: tags, type: string, ids: hash, max_ids: 2, separator: ","}
            - {name: price_band, column: price, type: number, ids: buckets, boundaries: [1, 10, 100]}
            - {name: position, type: int64, weights: position_weight}
            - {name: price, type: number, transform: log1p}
            - {name: vector, type: number, width: 2, optional: true}
          tasks:
            - {name: click}
            - {name: long_view, column: seconds, threshold: 30, weights: seconds_weight}
          """,
          "test");
  private static final List<String> COLUMNS =
      List.of(
          "user",
          "history",
          "history_weights",
          "query",
          "age",
          "item",
          "tags",
          "price",
          "position",
          "position_weight",
          "vector",
          "click",
          "seconds",
          "seconds_weight");
  private static final Map<String, Vocabulary> VOCABULARIES =
      Map.of(
          "user", Vocabulary.of(ValueType.INT64, List.of("10", "-20", "30")),
          "item", Vocabulary.of(ValueType.STRING, List.of("a", "bücher", "c")),
          "position", Vocabulary.of(ValueType.INT64, List.of("1", "2")));

  static FeatureEncoder encoder() {
    return new FeatureEncoder(SCHEMA, VOCABULARIES);
  }

  /** A good row, in which {@code changes} (column, value) are made. */
  static ListSource source(@Nullable Object... changes) {
    @Nullable Object[] row = {
      "-20",
      "a|bücher",
      "0.5|2",
      "shoes",
      "33",
      "c",
      "x,y",
      "10",
      "2",
      "0.25",
      "1|2",
      "1",
      "31",
      "2"
    };
    for (int i = 0; i < changes.length; i += 2) {
      row[COLUMNS.indexOf(changes[i])] = changes[i + 1];
    }
    return ListSource.row(COLUMNS, row);
  }

  static List<String> columns() {
    return COLUMNS;
  }

  private record Encoded(EncodedRows context, EncodedRows candidate, EncodingCounts counts) {}

  private static Encoded encode(RowSource source) {
    FeatureEncoder encoder = encoder();
    Encoded encoded =
        new Encoded(
            encoder.allocate(Scope.CONTEXT, 1),
            encoder.allocate(Scope.CANDIDATE, 1),
            new EncodingCounts());
    RowEncoder rows = encoder.bind(source);
    source.next();
    rows.encode(encoded.context, encoded.candidate, 0, encoded.counts);
    return encoded;
  }

  @Test
  void file_goodRow_hasTheIdsWorkedByHand() {
    Encoded row = encode(source());
    long shoes = RowKey.FIRST + Long.remainderUnsigned(Hash.of("shoes".getBytes(UTF_8)), 100);
    assertThat(row.context.ids()).containsExactly(3, 2, 3, RowKey.NONE, shoes);
    assertThat(row.context.weights()).containsExactly(1, 0.5f, 2, 0, 1);
    assertThat(row.context.dense()).containsExactly(33, 1);
    long space = (1L << 48) - 2;
    assertThat(row.candidate.ids())
        .containsExactly(
            4,
            2 + Long.remainderUnsigned(Hash.of("x".getBytes(UTF_8)), space),
            2 + Long.remainderUnsigned(Hash.of("y".getBytes(UTF_8)), space),
            4, // 10 is at or above the boundaries 1 and 10
            3);
    assertThat(row.candidate.weights()).containsExactly(1, 1, 1, 1, 0.25f);
    assertThat(row.candidate.dense()).containsExactly(10, 1, 2, 1);
    assertThat(row.counts).hasToString("unseen 0, missing 0, truncated 0");
  }

  @Test
  void file_absentAndUnknownValues_takeTheReservedIds() {
    Encoded row =
        encode(
            source(
                "user",
                "77",
                "history",
                null,
                "history_weights",
                null,
                "query",
                "",
                "age",
                null,
                "item",
                null,
                "tags",
                "",
                "position",
                null,
                "position_weight",
                null,
                "vector",
                ""));
    assertThat(row.context.ids()).containsExactly(0, -1, -1, -1, 1);
    assertThat(row.context.dense()).containsExactly(0, 0);
    assertThat(row.candidate.ids()).containsExactly(1, -1, -1, 4, 1);
    assertThat(row.candidate.weights()).containsExactly(1, 1, 1, 1, 1);
    assertThat(row.candidate.dense()).containsExactly(10, 0, 0, 0);
    assertThat(row.counts).hasToString("unseen 1, missing 5, truncated 0");
  }

  @Test
  void file_tooManyValues_keepsTheNewestAndCounts() {
    Encoded row = encode(source("history", "a|a||a|bücher|c", "history_weights", "9|9|9|1|2|3"));
    assertThat(Arrays.copyOfRange(row.context.ids(), 1, 4)).containsExactly(2, 3, 4);
    assertThat(Arrays.copyOfRange(row.context.weights(), 1, 4)).containsExactly(1, 2, 3);
    assertThat(row.counts.truncated()).isEqualTo(2);
  }

  @Test
  void file_typedValues_encodeLikeTheirText() {
    Encoded typed =
        encode(
            source(
                "user",
                -20L,
                "history",
                List.of("a", "bücher"),
                "history_weights",
                new float[] {0.5f, 2},
                "age",
                33,
                "tags",
                List.of("x", "y"),
                "price",
                10.0,
                "position",
                2.0,
                "position_weight",
                0.25,
                "vector",
                new double[] {1, 2}));
    Encoded text = encode(source());
    assertThat(typed.context).usingRecursiveComparison().isEqualTo(text.context);
    assertThat(typed.candidate).usingRecursiveComparison().isEqualTo(text.candidate);
  }

  @Test
  void labels_flagThresholdAndWeight_areRead() {
    FeatureEncoder encoder = encoder();
    ListSource source = source("seconds", "29.5");
    RowEncoder rows = encoder.bindLabelled(source);
    source.next();
    float[] labels = new float[2];
    float[] weights = new float[2];
    rows.labels(labels, weights, 0);
    assertThat(labels).containsExactly(1, 0);
    assertThat(weights).containsExactly(1, 2);
  }

  @Test
  void labels_absent_weighNothing() {
    ListSource source = source("click", null);
    RowEncoder rows = encoder().bindLabelled(source);
    source.next();
    float[] labels = new float[2];
    float[] weights = new float[2];
    rows.labels(labels, weights, 0);
    assertThat(labels).containsExactly(0, 1);
    assertThat(weights).containsExactly(0, 2);
  }

  /** Training's door and serving's door lead to the same numbers. */
  @RepeatedTest(value = 300, name = "seed {currentRepetition}")
  void bothDoors_anyRows_encodeAlike(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    List<@Nullable Object[]> rows = new ArrayList<>();
    int count = 1 + random.nextInt(20);
    for (int i = 0; i < count; i++) {
      rows.add(randomRow(random));
    }
    FeatureEncoder encoder = encoder();
    EncodedExamples file = EncodedExamples.allocate(encoder, count);
    EncodingCounts fileCounts = new EncodingCounts();
    ListSource source = new ListSource(COLUMNS, rows);
    RowEncoder encode = encoder.bind(source);
    BlockWriter context = new BlockWriter(SCHEMA, Scope.CONTEXT, source);
    BlockWriter candidate = new BlockWriter(SCHEMA, Scope.CANDIDATE, source);
    for (int row = 0; source.next(); row++) {
      encode.encode(file.context(), file.candidate(), row, fileCounts);
      context.add();
      candidate.add();
    }
    EncodingCounts wireCounts = new EncodingCounts();
    assertThat(encoder.encode(Scope.CONTEXT, context.take(), wireCounts))
        .usingRecursiveComparison()
        .isEqualTo(file.context());
    assertThat(encoder.encode(Scope.CANDIDATE, candidate.take(), wireCounts))
        .usingRecursiveComparison()
        .isEqualTo(file.candidate());
    assertThat(wireCounts).hasToString(fileCounts.toString());
  }

  private static @Nullable Object[] randomRow(SplittableRandom random) {
    int history = random.nextInt(6);
    return new @Nullable Object[] {
      pick(random, null, "10", "-20", "30", "99"),
      list(random, history, "|", "a", "bücher", "c", "zzz", ""),
      list(random, history, "|", "0.5", "1", "0"),
      pick(random, null, "shoes", "", "日本語"),
      pick(random, null, "18", "1e3", "-0.5"),
      pick(random, null, "a", "bücher", "unknown"),
      list(random, random.nextInt(5), ",", "x", "y", "", "ü"),
      pick(random, "0", "1", "9.99", "10", "1000"),
      pick(random, null, "1", "2", "3"),
      pick(random, "0.25", "4"),
      pick(random, null, "1|2", "-1|0.5"),
      "0",
      "1",
      "1"
    };
  }

  private static @Nullable Object pick(SplittableRandom random, @Nullable Object... values) {
    return values[random.nextInt(values.length)];
  }

  private static String list(
      SplittableRandom random, int size, String separator, String... values) {
    return IntStream.range(0, size)
        .mapToObj(i -> values[random.nextInt(values.length)])
        .collect(Collectors.joining(separator));
  }

  @Test
  void rowsIn_everyMapping_countsTheReservedIds() {
    FeatureEncoder encoder = encoder();
    assertThat(encoder.rowsIn("user")).hasValue(5);
    assertThat(encoder.rowsIn("query")).hasValue(102);
    assertThat(encoder.rowsIn("price_band")).hasValue(6);
    assertThat(encoder.rowsIn("tags")).isEmpty();
  }

  @Test
  void vocabularyBuilder_counts_numberByFirstAppearanceAcrossTheSpace() {
    Schema schema =
        SchemaYaml.parse(
            """
            name: s
            features:
              - {name: history, shares: item, max_ids: 2}
              - {name: item, type: string, min_count: 2}
            """,
            "test");
    VocabularyBuilder builder = new VocabularyBuilder(schema);
    builder.addAll(
        new ListSource(
            List.of("history", "item"),
            List.of(
                new Object[] {"b|a", "c"},
                new Object[] {"dropped|c|b", "d"},
                new Object[] {"", "a"})),
        Progress.NONE);
    assertThat(builder.build().get("item"))
        .extracting(Vocabulary::values)
        .isEqualTo(List.of("b", "a", "c"));
  }

  @Test
  void vocabulary_valuesOfAVocabulary_makeItAgain() {
    for (Vocabulary vocabulary : VOCABULARIES.values()) {
      Vocabulary again = Vocabulary.of(vocabulary.type(), vocabulary.values());
      assertThat(again.values()).isEqualTo(vocabulary.values());
      for (int i = 0; i < vocabulary.size(); i++) {
        String value = vocabulary.values().get(i);
        long id =
            switch (vocabulary.type()) {
              case INT64 -> again.idOf(Long.parseLong(value));
              case STRING -> {
                byte[] utf8 = value.getBytes(UTF_8);
                yield again.idOf(MemorySegment.ofArray(utf8), 0, utf8.length);
              }
            };
        assertThat(id).isEqualTo(RowKey.FIRST + i);
      }
    }
  }
}
