package dev.wukong.serving.lifecycle;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Which ids of one table have a row.
 *
 * @param sights how often an id must be seen before it gets one, 1 to 255
 * @param age how long a row stays after it was last learned from; null: for ever
 */
public record RowPolicy(int sights, @Nullable Duration age) {
  /** The most that {@link #sights} can be: a count is kept in a byte. */
  public static final int MOST_SIGHTS = 255;

  public RowPolicy {
    if (sights < 1 || sights > MOST_SIGHTS) {
      throw new IllegalArgumentException(
          "sights is %d, must be 1 to %d".formatted(sights, MOST_SIGHTS));
    }
    if (age != null && (age.isNegative() || age.isZero())) {
      throw new IllegalArgumentException("age is %s, must be more than nothing".formatted(age));
    }
  }
}
