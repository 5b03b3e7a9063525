package dev.wukong.serving.events;

import java.nio.ByteBuffer;

/**
 * Names a prediction: 16 bytes, of which the first six are the time at which it was made.
 *
 * @param high milliseconds since 1970-01-01 UTC, then 16 bits of chance
 * @param low 64 bits of chance
 */
public record PredictionId(long high, long low) implements Comparable<PredictionId> {
  /** How many bytes it has. */
  public static final int BYTES = 2 * Long.BYTES;

  private static final int CHANCE_BITS = 16;

  /** It as 16 bytes, big-endian: so they sort by time. */
  public byte[] bytes() {
    return ByteBuffer.allocate(BYTES).putLong(high).putLong(low).array();
  }

  /** When it was made: milliseconds since 1970-01-01 UTC. */
  public long madeMs() {
    return high >>> CHANCE_BITS;
  }

  /** The least of those that are made at {@code ms} or later. */
  static PredictionId first(long ms) {
    return new PredictionId(ms << CHANCE_BITS, 0);
  }

  @Override
  public int compareTo(PredictionId other) {
    int first = Long.compareUnsigned(high, other.high);
    return first != 0 ? first : Long.compareUnsigned(low, other.low);
  }
}
