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
    StatisticDuration decode = duration("wukong.predict.decode", model);
    StatisticDuration resolve = duration("wukong.predict.resolve", model);
    return ModelStatistics.newBuilder()
        .setName(model)
        .setVersion(Long.toString(served.servingVersion()))
        .setInferenceCount(candidates == null ? 0 : (long) candidates.count())
        .setExecutionCount(batches == null ? 0 : batches.count())
        .setInferenceStats(
            InferStatistics.newBuilder()
                .setSuccess(duration("wukong.predict.duration", model))
                .setFail(StatisticDuration.getDefaultInstance())
                .setQueue(duration("wukong.batching.queue", model))
                .setComputeInput(
                    StatisticDuration.newBuilder()
                        .setCount(decode.getCount())
                        .setNs(decode.getNs() + resolve.getNs()))
                .setComputeInfer(duration("wukong.batching.run", model))
                .setComputeOutput(StatisticDuration.getDefaultInstance()))
        .build();
  }

  private StatisticDuration duration(String name, String model) {
    Timer timer = meters.find(name).tag("model", model).timer();
    return timer == null
        ? StatisticDuration.getDefaultInstance()
        : StatisticDuration.newBuilder()
            .setCount(timer.count())
            .setNs((long) timer.totalTime(TimeUnit.NANOSECONDS))
            .build();
  }
}
