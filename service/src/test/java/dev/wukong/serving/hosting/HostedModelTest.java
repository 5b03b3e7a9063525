package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.serving.batching.BatchScores;
import dev.wukong.serving.testing.TinyModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.MemorySegment.Scope;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostedModelTest {
  @Test
  void retire_lastLeaseIsBack_freesTheMemoryOfBatches(@TempDir Path folder) throws Exception {
    Path path = new TinyModel(1).write(folder, "tiny", 1);
    GoldenRows golden;
    try (Bundle bundle = Bundle.open(path)) {
      golden = bundle.manifest().golden();
    }
    HostedModel model = Hosted.load(path);
    BatchScores scores = model.run(List.of(model.prepare(golden)));
    Scope probabilities = MemorySegment.ofBuffer(scores.probabilities()).scope();
    Scope logits = MemorySegment.ofBuffer(scores.logits()).scope();
    assertThat(probabilities.isAlive()).isTrue();
    assertThat(logits.isAlive()).isTrue();

    model.retire().get(1, TimeUnit.MINUTES);

    assertThat(probabilities.isAlive()).isFalse();
    assertThat(logits.isAlive()).isFalse();
  }

  @Test
  void ensure_moreThanThereIs_keepsTheContentsAndFreesTheOldMemory() {
    try (GrowingBuffer buffer = new GrowingBuffer()) {
      buffer.ensure(8);
      MemorySegment small = buffer.segment();
      small.set(ValueLayout.JAVA_LONG, 0, 77);
      buffer.ensure(small.byteSize());
      assertThat(buffer.segment()).isSameAs(small);

      buffer.ensure(small.byteSize() + 1);

      assertThat(small.scope().isAlive()).isFalse();
      assertThat(buffer.segment().byteSize()).isEqualTo(2 * small.byteSize());
      assertThat(buffer.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(77);
      assertThat(buffer.view(8).getLong(0)).isEqualTo(77);
      assertThat(buffer.view(8).isDirect()).isTrue();
    }
  }
}
