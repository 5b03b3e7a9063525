package dev.wukong.serving.joining;

/**
 * How far in a log a model has come.
 *
 * @param next the position after the last event of the model that it has taken; 0: none
 * @param lastMs the time of that event; it tells this log from others
 */
public record LogPlace(long next, long lastMs) {
  /** Nothing was taken. */
  public static final LogPlace NONE = new LogPlace(0, 0);
}
