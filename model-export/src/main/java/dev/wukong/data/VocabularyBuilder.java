package dev.wukong.data;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Counts the values of the training data and makes the vocabularies of all id spaces that have one.
 * Values are numbered by first appearance: row by row, within a row in schema order. Every distinct
 * value is held in memory, also one too rare to be kept; id spaces of very many values are better
 * hashed. Not thread-safe.
 */
public final class VocabularyBuilder {
  private static final class Count {
    int seen;
  }

  private record Bound(IdFeature feature, Cell cell, Map<Object, Count> counts) {}

  private final Schema schema;
  private final Map<String, Map<Object, Count>> counts = new LinkedHashMap<>();
  private final CellValues values = new CellValues();

  public VocabularyBuilder(Schema schema) {
    this.schema = schema;
    for (Feature feature : schema.features()) {
      if (feature instanceof IdFeature ids && ids.mapping() instanceof IdMapping.Vocabulary) {
        counts.computeIfAbsent(ids.idSpace(), s -> new LinkedHashMap<>());
      }
    }
  }

  /** Whether any id space needs a vocabulary; if not, the data need not be read for it. */
  public boolean needed() {
    return !counts.isEmpty();
  }

  /**
   * Counts the values of all remaining rows of {@code source}.
   *
   * @param progress told as rows are read
   * @throws DataException if a column is missing or a value is wrong
   */
  public void addAll(RowSource source, Progress progress) {
    List<Bound> bound = new ArrayList<>();
    for (Feature feature : schema.features()) {
      if (feature instanceof IdFeature ids && counts.get(ids.idSpace()) != null) {
        Map<Object, Count> own = counts.computeIfAbsent(ids.idSpace(), s -> new LinkedHashMap<>());
        bound.add(new Bound(ids, Cell.of(source, ids), own));
      }
    }
    while (source.next()) {
      for (Bound each : bound) {
        add(each);
      }
      progress.rows(source.row());
    }
  }

  private void add(Bound bound) {
    int found = values.read(bound.feature(), bound.cell());
    for (int i = Math.max(0, found - bound.feature().maxIds()); i < found; i++) {
      Object raw = values.value(i);
      Object value =
          switch (bound.feature().type()) {
            case INT64 -> bound.cell().toInt64(raw);
            case STRING -> bound.cell().toText(raw);
          };
      bound.counts().computeIfAbsent(value, v -> new Count()).seen++;
    }
  }

  /** The vocabularies, by id space. */
  public Map<String, Vocabulary> build() {
    Map<String, Vocabulary> built = new LinkedHashMap<>();
    counts.forEach(
        (space, seen) -> {
          IdFeature feature = schema.ofSpace(space);
          int minCount =
              switch (feature.mapping()) {
                case IdMapping.Vocabulary vocabulary -> vocabulary.minCount();
                case IdMapping.Hash _, IdMapping.Buckets _ ->
                    throw new IllegalStateException("no vocabulary: " + space);
              };
          List<String> kept =
              seen.entrySet().stream()
                  .filter(e -> e.getValue().seen >= minCount)
                  .map(e -> e.getKey().toString())
                  .toList();
          built.put(space, Vocabulary.of(feature.type(), kept));
        });
    return built;
  }
}
