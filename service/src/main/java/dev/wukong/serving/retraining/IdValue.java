package dev.wukong.serving.retraining;

import dev.wukong.data.DataException;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.IdFeature;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.ValueType;
import dev.wukong.text.ShownText;
import java.util.List;
import java.util.stream.Stream;

/** A value of an id feature, as requests have it. No message shows it. */
public sealed interface IdValue {
  /** Of a feature of whole numbers. */
  record Whole(long value) implements IdValue {
    @Override
    public String toString() {
      return "Whole";
    }
  }

  /** Of a feature of texts. */
  record Text(String value) implements IdValue {
    @Override
    public String toString() {
      return "Text";
    }
  }

  /**
   * Keys of the rows that {@code value} has, one in each table of its ids.
   *
   * @throws DataException where the schema has no such feature, or that has no such value
   */
  static long[] keys(FeatureEncoder encoder, InputLayout layout, String feature, IdValue value) {
    Schema schema = encoder.schema();
    List<IdFeature> ids =
        Stream.of(Scope.values()).flatMap(scope -> schema.ids(scope).stream()).toList();
    IdFeature found =
        ids.stream()
            .filter(of -> of.name().equals(feature))
            .findFirst()
            .orElseThrow(
                () ->
                    new DataException(
                        "feature is '%s'; the id features are %s"
                            .formatted(
                                ShownText.of(feature),
                                ids.stream().map(IdFeature::name).toList())));
    if (found.bucketed()) {
      throw new DataException(
          "feature '%s' has ranges of numbers, of which none is one's own".formatted(feature));
    }
    long id =
        switch (value) {
          case Whole(long number) when found.type() == ValueType.INT64 ->
              encoder.idOf(found, number);
          case Text(String text) when found.type() == ValueType.STRING && !text.isEmpty() ->
              encoder.idOf(found, text);
          case Whole _, Text _ ->
              throw new DataException(
                  found.type() == ValueType.INT64
                      ? "feature '%s' has whole numbers: number is needed".formatted(feature)
                      : "feature '%s' has texts: text is needed, which is not empty"
                          .formatted(feature));
        };
    if (id < RowKey.FIRST) {
      throw new DataException(
          "feature '%s' has a vocabulary, and this value is not in it: nothing is known of it"
              .formatted(feature));
    }
    return layout.tables().stream()
        .filter(table -> table.idSpace().equals(found.idSpace()))
        .mapToLong(table -> RowKey.of(table.ordinal(), id))
        .toArray();
  }
}
