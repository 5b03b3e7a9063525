package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.serving.inputs.GrowingBuffer;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.serving.testing.TinyModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.MemorySegment.Scope;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
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
    List<Scope> scopes = new ArrayList<>();
    ModelInputs inputs = model.prepare(golden);
    model.run(
        List.of(inputs),
        scores -> {
          scopes.add(MemorySegment.ofBuffer(scores.probabilities()).scope());
          scopes.add(MemorySegment.ofBuffer(scores.logits()).scope());
        });
    scopes.add(inputs.rows(0, 1).scope());
    inputs.recycle();
    assertThat(scopes).hasSize(3).allMatch(Scope::isAlive);

    model.retire().get(1, TimeUnit.MINUTES);

    assertThat(scopes).noneMatch(Scope::isAlive);
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
