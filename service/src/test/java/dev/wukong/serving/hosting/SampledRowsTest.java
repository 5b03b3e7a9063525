package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.serving.embedding.BulkRows;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowSample;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.testing.ForwardingStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SampledRowsTest {
  @TempDir Path folder;

  private Bundle bundle(Stamps stamps) throws Exception {
    return Bundle.open(stamps.write(folder, "sampled", 1));
  }

  /** The bundle's rows by their keys, as another path reads them. */
  private static Map<Long, List<Float>> all(Bundle bundle) {
    Map<Long, List<Float>> all = new HashMap<>();
    for (Table table : bundle.layout().tables()) {
      bundle.forEachRow(
          table,
          (id, row) -> {
            float[] values = new float[row.remaining()];
            row.get(row.position(), values);
            all.put(RowKey.of(table.ordinal(), id), floats(values, 0, values.length));
          });
    }
    return all;
  }

  private static List<Float> floats(float[] values, int from, int width) {
    Float[] boxed = new Float[width];
    for (int i = 0; i < width; i++) {
      boxed[i] = values[from + i];
    }
    return List.of(boxed);
  }

  private static Map<Long, List<Float>> flat(List<RowSample.Rows> sample) {
    Map<Long, List<Float>> flat = new HashMap<>();
    for (RowSample.Rows rows : sample) {
      for (int i = 0; i < rows.keys().length; i++) {
        flat.put(rows.keys()[i], floats(rows.rows(), i * rows.width(), rows.width()));
      }
    }
    return flat;
  }

  @Test
  void of_fewRows_isAllOfThem() throws Exception {
    try (Bundle bundle = bundle(new Stamps(100))) {
      assertThat(SampledRows.of(bundle).all()).isEqualTo(all(bundle).size());
      assertThat(flat(SampledRows.of(bundle).rows().get())).isEqualTo(all(bundle));
    }
  }

  /** Room for some of the rows, so that the store must have them. */
  private static final long RESIDENT_BYTES = 200_000;

  private HostedModel load(RowStore store) throws Exception {
    HostingOptions options = Hosted.options(folder, RESIDENT_BYTES);
    return new BundleLoader(
            options,
            store,
            RowThreads.none(),
            new HotSets(Optional.empty(), () -> 0),
            LearnedWeights.NONE,
            new SimpleMeterRegistry(),
            () -> false,
            Supplier::get)
        .load(folder.resolve("sampled/1"), Map.of());
  }

  /** As where another process was done before, and has trained since. */
  @Test
  void load_rowsChangeMeanwhile_isRefusedAsWhatPasses() throws Exception {
    bundle(new Stamps(400)).close();
    RowStore store =
        new ForwardingStore(new HeapRowStore()) {
          @Override
          public long version(RowsView view) {
            return 2;
          }
        };
    assertThatThrownBy(() -> load(store))
        .isInstanceOf(StoreException.class)
        .hasMessage(
            "the rows of model 'sampled' version 1 were changed by another process while they were"
                + " loaded; load it again");
  }

  @Test
  void load_intoAStore_tellsItOfTheBundlesRows() throws Exception {
    Map<Long, List<Float>> all;
    try (Bundle bundle = bundle(new Stamps(400))) {
      all = all(bundle);
    }
    List<Map<Long, List<Float>>> told = new ArrayList<>();
    RowStore store =
        new ForwardingStore(new HeapRowStore()) {
          @Override
          public BulkRows bulk(RowsView view, String digest, RowSample sample) {
            told.add(flat(sample.rows().get()));
            return super.bulk(view, digest, sample);
          }
        };
    HostedModel model = load(store);
    model.retire().join();
    assertThat(told).containsExactly(all);
  }

  @Test
  void of_manyRows_isSomeOfEachPartOfEachTable() throws Exception {
    try (Bundle bundle = bundle(new Stamps(20_000))) {
      Map<Long, List<Float>> all = all(bundle);
      Map<Long, List<Float>> sample = flat(SampledRows.of(bundle).rows().get());
      assertThat(all.size()).isGreaterThan(3 << 16);
      assertThat(sample.size()).isBetween(1 << 15, 1 << 17);
      sample.forEach((key, row) -> assertThat(row).isEqualTo(all.get(key)));
      Map<Long, Integer> parts = new HashMap<>();
      all.keySet().forEach(key -> parts.merge(key / 1000, 1, Integer::sum));
      parts.values().removeIf(rows -> rows < 500); // At the ends of tables.
      Set<Long> sampled = new HashSet<>();
      sample.keySet().forEach(key -> sampled.add(key / 1000));
      assertThat(sampled).containsAll(parts.keySet());
    }
  }
}
