package dev.wukong.serving;

import java.time.Duration;

/** A setting that cannot be; the message names the property, its value and what is allowed. */
final class SettingException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  SettingException(String message) {
    super(message);
  }

  SettingException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Fails unless {@code holds}. */
  static void require(boolean holds, String property, Object value, String allowed) {
    if (!holds) {
      throw new SettingException("%s is %s, allowed %s".formatted(property, shown(value), allowed));
    }
  }

  /** Fails unless {@code value} is at least {@code least}. */
  static void atLeast(String property, long value, long least) {
    require(value >= least, property, value, "is %d or more".formatted(least));
  }

  /** Fails unless {@code value} is one of {@code least} to {@code most}. */
  static void between(String property, long value, long least, long most) {
    require(
        value >= least && value <= most, property, value, "are %d to %d".formatted(least, most));
  }

  private static String shown(Object value) {
    return value instanceof Duration time ? time(time) : value.toString();
  }

  /** A time as settings write it. */
  static String time(Duration time) {
    long millis = time.toMillis();
    if (millis % 1000 != 0) {
      return millis + "ms";
    }
    long seconds = millis / 1000;
    return seconds != 0 && seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds + "s";
  }
}
