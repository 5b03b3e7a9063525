package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.testing.TinyModel;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StaleRowsTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final StaleRows stale = new StaleRows(meters);

  private double measured() {
    return meters.get("wukong.embedding.stale").tag("model", "tiny").gauge().value();
  }

  @Test
  void look_anotherProcessHasChangedRows_measuresHowOften(@TempDir Path root) throws Exception {
    try (ModelHost host = Hosted.host();
        HeapRowStore store = new HeapRowStore()) {
      ServedModel model = host.add("tiny");
      stale.look(model);
      assertThat(measured()).isZero(); // Nothing serves.
      model.add(Hosted.load(new TinyModel(1).write(root, "tiny", 1), store));
      model.serve(1);
      stale.look(model);
      assertThat(measured()).isZero();

      store.apply(new RowCommit(new RowsView("tiny", 1, 1), List.of()));
      store.apply(new RowCommit(new RowsView("tiny", 1, 2), List.of()));

      stale.look(model);
      assertThat(measured()).isEqualTo(2);
      store.drop(new RowsView("tiny", 1, 0));
      stale.look(model);
      assertThat(measured()).isZero();
    }
  }

  @Test
  void look_thisProcessHasChangedThem_isNotBehind(@TempDir Path root) throws Exception {
    try (ModelHost host = Hosted.host()) {
      ServedModel model = host.add("tiny");
      model.add(Hosted.load(new TinyModel(1).write(root, "tiny", 1)));
      model.serve(1);

      assertThat(model.commit(1, new ModelCommit(0, 0, List.of(), List.of(), null))).isTrue();
      assertThat(model.commit(2, new ModelCommit(0, 0, List.of(), List.of(), null))).isFalse();

      stale.look(model);
      assertThat(measured()).isZero();
    }
  }
}
