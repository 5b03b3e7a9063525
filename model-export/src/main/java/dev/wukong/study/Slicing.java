package dev.wukong.study;

import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Vocabulary;
import dev.wukong.run.EncodedSplits;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * How the rows of a test split fall into slices: by the value of each single-valued id feature that
 * has few, else by how often its value occurs in the training data. Made once for all runs.
 *
 * @param features those that are sliced
 */
record Slicing(List<Feature> features) {
  /** The most values of a feature that is sliced by value. */
  static final int MAX_VALUES = 50;

  private static final int BATCH = 4096;
  private static final int[] NONE = {0};

  // In brackets: "unseen" may be one of a feature's values.
  private static final String UNSEEN = "(unseen)";

  private static final List<String> BANDS =
      List.of("1-9", "10-99", "100-999", "1,000-9,999", "10,000-99,999", "100,000 and more");

  /**
   * A feature's slices.
   *
   * @param by value or frequency
   * @param ofRow the place of each test row's slice
   */
  record Feature(String name, String by, List<String> slices, byte[] ofRow) {}

  /** One feature's ids and where they lie. */
  private record Column(IdFeature feature, int position, int width) {
    long id(EncodedExamples examples, int row) {
      EncodedRows rows =
          switch (feature.scope()) {
            case CONTEXT -> examples.context();
            case CANDIDATE -> examples.candidate();
          };
      return rows.ids()[row * width + position];
    }
  }

  /** Sees a row of a split. */
  @FunctionalInterface
  private interface RowVisitor {
    void row(EncodedExamples examples, int place, long row);
  }

  static Slicing of(EncodedSplits data) {
    List<Column> columns = columns(data.encoder());
    EncodedDataset test = data.test().orElseThrow();
    List<Cut> cuts = columns.stream().map(c -> cut(data.encoder(), c.feature())).toList();
    List<Map<Long, int[]>> counts = new ArrayList<>();
    columns.forEach(_ -> counts.add(new HashMap<>()));
    List<Integer> counted =
        IntStream.range(0, cuts.size()).filter(c -> cuts.get(c).byFrequency()).boxed().toList();
    each(
        test,
        (examples, place, _) ->
            counted.forEach(
                c ->
                    counts
                        .get(c)
                        .computeIfAbsent(columns.get(c).id(examples, place), _ -> new int[1])));
    if (!counted.isEmpty()) {
      each(
          data.train(),
          (examples, place, _) -> {
            for (int c : counted) {
              int[] count = counts.get(c).get(columns.get(c).id(examples, place));
              if (count != null) {
                count[0]++;
              }
            }
          });
    }
    byte[][] slices = new byte[columns.size()][Math.toIntExact(test.rows())];
    each(
        test,
        (examples, place, row) -> {
          for (int c = 0; c < slices.length; c++) {
            long id = columns.get(c).id(examples, place);
            slices[c][(int) row] =
                cuts.get(c).byFrequency()
                    ? band(columns.get(c).feature(), id, counts.get(c).getOrDefault(id, NONE)[0])
                    : slice(id);
          }
        });
    List<Feature> result = new ArrayList<>();
    for (int c = 0; c < slices.length; c++) {
      result.add(
          new Feature(
              columns.get(c).feature().name(),
              cuts.get(c).byFrequency() ? "frequency" : "value",
              cuts.get(c).names(),
              slices[c]));
    }
    return new Slicing(List.copyOf(result));
  }

  private static List<Column> columns(FeatureEncoder encoder) {
    List<Column> result = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      int position = 0;
      for (IdFeature feature : encoder.schema().ids(scope)) {
        if (!feature.multiValued()) {
          result.add(new Column(feature, position, encoder.positions(scope)));
        }
        position += feature.maxIds();
      }
    }
    return result;
  }

  /**
   * How a feature is sliced.
   *
   * @param names of its slices: absent values, those that training has not seen, the others
   */
  private record Cut(boolean byFrequency, List<String> names) {
    static Cut byValue(List<String> values) {
      return new Cut(false, named(UNSEEN, values));
    }

    static Cut byFrequency(String unseen) {
      return new Cut(true, named(unseen, BANDS));
    }

    private static List<String> named(String unseen, List<String> others) {
      List<String> names = new ArrayList<>(List.of("(missing)", unseen));
      names.addAll(others);
      return List.copyOf(names);
    }
  }

  private static Cut cut(FeatureEncoder encoder, IdFeature feature) {
    OptionalLong ids = encoder.rowsIn(feature.idSpace());
    boolean few = ids.isPresent() && ids.getAsLong() - RowKey.FIRST <= MAX_VALUES;
    return switch (feature.mapping()) {
      case IdMapping.Vocabulary vocabulary ->
          few
              ? Cut.byValue(values(encoder, feature))
              : Cut.byFrequency(vocabulary.minCount() == 1 ? "0" : UNSEEN);
      case IdMapping.Buckets buckets ->
          few ? Cut.byValue(intervals(buckets.boundaries())) : Cut.byFrequency("0");
      case IdMapping.Hash _ -> Cut.byFrequency("0");
    };
  }

  private static List<String> values(FeatureEncoder encoder, IdFeature feature) {
    Vocabulary vocabulary = encoder.vocabularies().get(feature.idSpace());
    if (vocabulary == null) {
      throw new IllegalStateException(feature.name() + " has no vocabulary");
    }
    return vocabulary.values();
  }

  private static List<String> intervals(List<Double> boundaries) {
    List<String> result = new ArrayList<>();
    for (int i = 0; i <= boundaries.size(); i++) {
      String from = i == 0 ? "" : "from " + boundaries.get(i - 1);
      String to = i == boundaries.size() ? "" : "below " + boundaries.get(i);
      result.add((from + " " + to).strip());
    }
    return result;
  }

  private static byte slice(long id) {
    if (id == RowKey.MISSING) {
      return 0;
    }
    return (byte) (id == RowKey.UNSEEN ? 1 : id - RowKey.FIRST + 2);
  }

  private static byte band(IdFeature feature, long id, int count) {
    if (id == RowKey.MISSING) {
      return 0;
    }
    boolean unseen = feature.mapping() instanceof IdMapping.Vocabulary && id == RowKey.UNSEEN;
    if (unseen || count == 0) {
      return 1;
    }
    return (byte) Math.min(1 + String.valueOf(count).length(), 1 + BANDS.size());
  }

  private static void each(EncodedDataset data, RowVisitor visitor) {
    EncodedExamples room = data.allocate(BATCH);
    for (long first = 0; first < data.rows(); first += BATCH) {
      int count = (int) Math.min(BATCH, data.rows() - first);
      EncodedExamples examples = data.range(first, count, room);
      for (int i = 0; i < count; i++) {
        visitor.row(examples, i, first + i);
      }
    }
  }
}
