package dev.wukong.serving.embedding;

import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.ValueType;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The layout of a model whose tables are all of one width, for what needs no more of a model. */
final class OneGroup {
  private OneGroup() {}

  /** One table of {@code rows} rows for each of {@code names}, a feature of the candidate. */
  static InputLayout layout(int width, int rows, String... names) {
    List<Feature> features = new ArrayList<>();
    Map<String, List<Integer>> widths = new HashMap<>();
    for (String name : names) {
      features.add(
          new IdFeature(
              name,
              Scope.CANDIDATE,
              name,
              ValueType.INT64,
              new IdMapping.Hash(rows),
              name,
              1,
              Pooling.SUM,
              Optional.empty(),
              IdFeature.SEPARATOR));
      widths.put(name, List.of(width));
    }
    Task click = new Task("click", "click", Optional.empty(), Optional.empty());
    return InputLayout.of(new Schema("one", features, List.of(click)), widths);
  }

  /** How many rows of {@code layout} may be in memory where {@code bytes} are for them, about. */
  static double capacity(RowFormat format, InputLayout layout, long bytes) {
    int some = 1 << 20;
    return (double) bytes
        * some
        / EmbeddingTier.bytes(format, layout.groups(), new int[] {some}, false);
  }

  /** A tier of rows, of which {@code capacity} may be in memory. */
  static EmbeddingTier tier(
      InputLayout layout,
      RowsView view,
      RowStore store,
      RowThreads threads,
      RowFormat format,
      int capacity,
      float[] defaultRow,
      MeterRegistry meters) {
    return new EmbeddingTier(
        layout,
        view,
        store,
        threads,
        format,
        new int[] {capacity},
        false,
        List.of(defaultRow),
        new RowMeters(view.model(), meters));
  }
}
