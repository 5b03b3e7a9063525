package dev.wukong.serving.inference;

import dev.wukong.proto.inference.InferStatistics;
import dev.wukong.proto.inference.ModelStatistics;
import dev.wukong.proto.inference.ModelStatisticsResponse;
import dev.wukong.proto.inference.StatisticDuration;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** What the protocol calls statistics, from the service's own meters. Any thread. */
public final class InferenceStatistics implements Function<String, ModelStatisticsResponse> {
  private final ModelHost host;
  private final MeterRegistry meters;

  public InferenceStatistics(ModelHost host, MeterRegistry meters) {
    this.host = host;
    this.meters = meters;
  }

  @Override
  public ModelStatisticsResponse apply(String name) {
    ModelStatisticsResponse.Builder response = ModelStatisticsResponse.newBuilder();
    for (ServedModel model : host.models()) {
      if (name.isEmpty() || model.name().equals(name)) {
        response.addModelStats(of(model));
      }
    }
    return response.build();
  }

  private ModelStatistics of(ServedModel served) {
    String model = served.name();
    Counter candidates = meters.find("wukong.predict.candidates").tag("model", model).counter();
    DistributionSummary batches = meters.find("wukong.batching.rows").tag("model", model).summary();
    Timer answered = meters.find("wukong.predict.duration").tag("model", model).timer();
    // Public clients refuse to go on where the parts are not counted as often as each other.
    long requests = answered == null ? 0 : answered.count();
    return ModelStatistics.newBuilder()
        .setName(model)
        .setVersion(Long.toString(served.servingVersion()))
        .setInferenceCount(candidates == null ? 0 : (long) candidates.count())
        .setExecutionCount(batches == null ? 0 : batches.count())
        .setInferenceStats(
            InferStatistics.newBuilder()
                .setSuccess(of(requests, nanos("wukong.predict.duration", model)))
                .setFail(StatisticDuration.getDefaultInstance())
                .setQueue(of(requests, nanos("wukong.batching.queue", model)))
                .setComputeInput(
                    of(
                        requests,
                        nanos("wukong.predict.decode", model)
                            + nanos("wukong.predict.resolve", model)))
                .setComputeInfer(of(requests, nanos("wukong.batching.run", model)))
                .setComputeOutput(of(requests, nanos("wukong.predict.reply", model))))
        .build();
  }

  private static StatisticDuration of(long count, long nanos) {
    return StatisticDuration.newBuilder().setCount(count).setNs(nanos).build();
  }

  private long nanos(String name, String model) {
    Timer timer = meters.find(name).tag("model", model).timer();
    return timer == null ? 0 : (long) timer.totalTime(TimeUnit.NANOSECONDS);
  }
}
