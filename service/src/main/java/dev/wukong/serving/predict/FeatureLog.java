package dev.wukong.serving.predict;

import dev.wukong.data.Hash;
import dev.wukong.data.Scope;
import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.EventSink;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.RowShape;
import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.events.ScoredVersion;
import dev.wukong.serving.hosting.HostedModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Logs what was scored, exactly as it was scored, where somebody learns from it. Any thread. */
public final class FeatureLog {
  private final @Nullable EventSink sink;
  private final Predicate<String> learns;
  private final double sample;

  private FeatureLog(@Nullable EventSink sink, Predicate<String> learns, double sample) {
    this.sink = sink;
    this.learns = learns;
    this.sample = sample;
  }

  /** Logs nothing. */
  public static FeatureLog none() {
    return new FeatureLog(null, _ -> false, 0);
  }

  /**
   * Logs a share of the predictions of models.
   *
   * @param learns which models these are, by name
   * @param sample the share; which predictions it is follows from their ids alone
   */
  public static FeatureLog of(EventSink sink, Predicate<String> learns, double sample) {
    return new FeatureLog(sink, learns, sample);
  }

  /**
   * Logs an answer, or does not; never waits.
   *
   * @param probabilities that were answered, float32 little-endian [candidates, tasks]
   * @return whether it will be in the log
   */
  boolean log(HostedModel model, PredictionId id, Query query, byte[] probabilities) {
    if (sink == null || !learns.test(model.name()) || !sampled(id)) {
      return false;
    }
    float[] scores = new float[probabilities.length / Float.BYTES];
    ByteBuffer.wrap(probabilities).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(scores);
    ScoredRequest request =
        new ScoredRequest(
            id,
            new ScoredVersion(model.bundle(), model.epoch(), model.dense(), model.rows()),
            model.encoding(),
            query.context(),
            query.candidates(),
            query.contextOf(),
            model.tasks(),
            scores);
    return sink.offer(
        EncodedEvent.scored(
            model.name(),
            request,
            RowShape.of(model.encoder(), Scope.CONTEXT),
            RowShape.of(model.encoder(), Scope.CANDIDATE)));
  }

  private boolean sampled(PredictionId id) {
    return Hash.fraction(Hash.of(id.low())) < sample;
  }
}
