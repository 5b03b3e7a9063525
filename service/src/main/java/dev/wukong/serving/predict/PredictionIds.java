package dev.wukong.serving.predict;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.random.RandomGenerator;

/**
 * Makes prediction ids: 16 bytes, big-endian milliseconds since 1970 in the first 6 so that ids
 * sort by time, then 80 random bits. Any thread, if the generator allows it.
 */
public final class PredictionIds {
  private final Clock clock;
  private final RandomGenerator random;

  public PredictionIds(Clock clock, RandomGenerator random) {
    this.clock = clock;
    this.random = random;
  }

  ByteString next() {
    ByteBuffer bytes = ByteBuffer.allocate(16);
    bytes.putLong(clock.millis() << 16 | (random.nextLong() & 0xFFFF));
    bytes.putLong(random.nextLong()).flip();
    return ByteString.copyFrom(bytes);
  }
}
