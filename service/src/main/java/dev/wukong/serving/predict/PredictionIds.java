package dev.wukong.serving.predict;

import com.google.protobuf.ByteString;
import dev.wukong.serving.events.PredictionId;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Makes prediction ids: 16 bytes, big-endian milliseconds since 1970 in the first 6 so that ids
 * sort by time, then 80 random bits. Any thread, if the generator allows it.
 */
public final class PredictionIds {
  private final Clock clock;
  private final RandomGenerator random;
  private final FeedbackTokens tokens;

  /** Ids that answers carry as they are. */
  public PredictionIds(Clock clock, RandomGenerator random) {
    this(clock, random, FeedbackTokens.plain());
  }

  /** Ids that answers carry as {@code tokens} has them. */
  public PredictionIds(Clock clock, RandomGenerator random, FeedbackTokens tokens) {
    this.clock = clock;
    this.random = random;
    this.tokens = tokens;
  }

  PredictionId next() {
    return new PredictionId(clock.millis() << 16 | (random.nextLong() & 0xFFFF), random.nextLong());
  }

  /** As the answer with so many candidates carries it. */
  ByteString issue(PredictionId id, int candidates, String model) {
    return tokens.issue(id, candidates, model);
  }

  /** 16 bytes, big-endian. */
  static ByteString bytes(PredictionId id) {
    return ByteString.copyFrom(id.bytes());
  }

  /** What {@link #bytes} made; null where it did not. */
  static @Nullable PredictionId of(ByteString bytes) {
    if (bytes.size() != PredictionId.BYTES) {
      return null;
    }
    ByteBuffer numbers = bytes.asReadOnlyByteBuffer();
    return new PredictionId(numbers.getLong(), numbers.getLong());
  }
}
