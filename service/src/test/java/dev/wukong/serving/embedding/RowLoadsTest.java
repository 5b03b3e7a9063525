package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.InputLayout;
import dev.wukong.data.UniqueRows;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RowLoadsTest {
  private static final int WIDTH = 5;
  private static final RowsView VIEW = new RowsView("m", 1, 0);

  /** A store may keep rows in another format than memory does. */
  @ParameterizedTest
  @EnumSource
  void read_fromTheStoreAndThenFromMemory_givesTheSameNumbers(RowFormat format) {
    InputLayout layout = OneGroup.layout(WIDTH, 1000, "item");
    float[] row = {0.1f, -0.7f, 1e-6f, 3.3333f, 0};
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (HeapRowStore store = new HeapRowStore();
        ModelInputs target = new ModelInputs(layout, Element.FLOAT32, _ -> {})) {
      store.apply(new RowCommit(VIEW, WIDTH, new long[] {7}, row));
      EmbeddingTier tier =
          new EmbeddingTier(
              layout,
              VIEW,
              store,
              RowThreads.none(),
              format,
              new int[] {10},
              false,
              List.of(new float[WIDTH]),
              new RowMeters("m", registry));
      try (TierView view = tier.open()) {
        float[] stored = read(view, layout, target);
        assertThat(view.resident(0, 7)).isTrue();
        float[] resident = read(view, layout, target);

        assertThat(stored).containsExactly(resident);
        assertThat(count(registry, "store")).isOne();
        assertThat(count(registry, "memory")).isOne();
      }
    }
  }

  private static float[] read(TierView view, InputLayout layout, ModelInputs target) {
    UniqueRows unique = new UniqueRows(layout);
    unique.slotOf(0, 7);
    target.begin(0, 1);
    assertThat(view.copyRows(0, unique, target, Long.MAX_VALUE / 2)).isNull();
    long bytes = (long) WIDTH * Float.BYTES;
    return target.rows(0, 1).asSlice(bytes, bytes).toArray(ValueLayout.JAVA_FLOAT);
  }

  private static double count(SimpleMeterRegistry registry, String from) {
    return registry.get("wukong.embedding.rows").tag("from", from).counter().count();
  }
}
