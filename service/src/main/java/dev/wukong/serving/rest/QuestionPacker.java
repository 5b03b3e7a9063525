package dev.wukong.serving.rest;

import dev.wukong.client.RequestPacker;
import dev.wukong.data.DataException;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.predict.Packing;
import dev.wukong.text.ShownText;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Packs the values of a question by the schema of the version that answers. Names that the model
 * does not know are refused, and so are several values where one is meant.
 */
record QuestionPacker(Question question) implements Packing {
  @Override
  public PredictRequest pack(PredictRequest request, HostedModel model) {
    Schema schema = model.layout().schema();
    check("context", columns(schema, Scope.CONTEXT), question.context());
    Map<String, Boolean> columns = columns(schema, Scope.CANDIDATE);
    for (int i = 0; i < question.candidates().size(); i++) {
      check("candidates[%d]".formatted(i), columns, question.candidates().get(i));
    }
    PredictRequest packed =
        new RequestPacker(model.name(), schema).pack(question.context(), question.candidates());
    return request.toBuilder().mergeFrom(packed).build();
  }

  /** The columns of a scope; whether each may hold several values. */
  private static Map<String, Boolean> columns(Schema schema, Scope scope) {
    Map<String, Boolean> columns = new TreeMap<>();
    for (Feature feature : schema.features()) {
      if (feature.scope() == scope) {
        boolean several = !(feature instanceof IdFeature ids) || ids.multiValued();
        columns.merge(feature.column(), several, Boolean::logicalOr);
        if (feature instanceof IdFeature ids) {
          ids.weightColumn()
              .ifPresent(column -> columns.merge(column, several, Boolean::logicalOr));
        }
      }
    }
    return columns;
  }

  private static void check(
      String place, Map<String, Boolean> columns, Map<String, @Nullable Object> values) {
    for (Map.Entry<String, @Nullable Object> value : values.entrySet()) {
      Boolean several = columns.get(value.getKey());
      if (several == null) {
        throw new DataException(
            "%s: the model knows no column '%s'; it has %s"
                .formatted(
                    place, ShownText.of(value.getKey()), String.join(", ", columns.keySet())));
      }
      if (!several && value.getValue() instanceof List<?> list && list.size() > 1) {
        throw new DataException(
            "%s: column '%s' is a list of %d values; one is needed"
                .formatted(place, value.getKey(), list.size()));
      }
    }
  }
}
