package dev.wukong.serving.embedding;

import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.ValueType;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The layout of a model that has one table, for what measures tables alone. */
final class OneTable {
  private OneTable() {}

  static InputLayout layout(int width, int rows) {
    IdFeature feature =
        new IdFeature(
            "item",
            Scope.CANDIDATE,
            "item",
            ValueType.INT64,
            new IdMapping.Hash(rows),
            "item",
            1,
            Pooling.SUM,
            Optional.empty(),
            IdFeature.SEPARATOR);
    Schema schema =
        new Schema(
            "one",
            List.of(feature),
            List.of(new Task("click", "click", Optional.empty(), Optional.empty())));
    return InputLayout.of(schema, Map.of("item", List.of(width)));
  }
}
