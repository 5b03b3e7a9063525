package dev.wukong.serving.lifecycle;

import java.nio.ByteBuffer;
import java.time.Instant;

/**
 * What training did with a row.
 *
 * @param learned when it was last learned from, by the time of the event
 * @param times how often that happened
 */
public record RowLife(Instant learned, int times) {
  private static final int BYTES = Long.BYTES + Integer.BYTES;

  /** The same row after it was learned from once more. */
  public RowLife again(Instant now) {
    return new RowLife(
        now.isAfter(learned) ? now : learned, times == Integer.MAX_VALUE ? times : times + 1);
  }

  /** As it is kept: milliseconds and times, big-endian. */
  public byte[] bytes() {
    return ByteBuffer.allocate(BYTES).putLong(learned.toEpochMilli()).putInt(times).array();
  }

  /**
   * What {@link #bytes} made.
   *
   * @throws IllegalArgumentException if it did not
   */
  public static RowLife of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException(
          "the life of a row has %d bytes, not %d".formatted(BYTES, bytes.length));
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return new RowLife(Instant.ofEpochMilli(buffer.getLong()), buffer.getInt());
  }
}
