package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.RequestPacker;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.testing.HeldBatches;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rows of what waits are read while the batch before is run. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class PrefetchTest {
  private static double readFromStore(Served served) {
    return served
        .bean(MeterRegistry.class)
        .find("wukong.embedding.rows")
        .tag("from", "store")
        .counters()
        .stream()
        .mapToDouble(Counter::count)
        .sum();
  }

  @Test
  void predict_whileABatchRuns_hasItsRowsReadFromTheStore(@TempDir Path root) throws Exception {
    new TinyModel(1).write(root.resolve("bundles"), "tiny", 1);
    PredictRequest request =
        new RequestPacker("tiny", TinyModel.schema())
            .pack(Map.of(), List.of(Map.of("item", 1, "picture", List.of(0, 0))));
    // Room for hardly a row, and time for what is held.
    try (Served served =
            Served.serving(
                root.resolve("bundles"),
                "tiny",
                1,
                "wukong.rows.resident=1B",
                "wukong.limits.default-deadline=1h",
                "wukong.limits.max-deadline=1h");
        HeldBatches held =
            HeldBatches.of(served.bean(ModelHost.class).model("tiny").orElseThrow().batcher())) {
      double before = readFromStore(served);
      Future<PredictResponse> answer =
          RankingServiceGrpc.newFutureStub(served.channel()).predict(request);

      // Nobody but the held thread runs batches, so the request is still to be run by then.
      Served.await("its rows have been read", () -> readFromStore(served) > before);

      assertThat(answer.isDone()).isFalse();
      held.release();
      assertThat(answer.get().getScores().size()).isPositive();
    }
  }
}
