package dev.wukong.data;

import dev.wukong.text.ShownText;
import java.io.Serial;

/**
 * Data from outside that cannot be used: a schema, a file, a row or a request. The message names
 * the place, the value and what is allowed, and is meant for the person who made the data; it has
 * no control characters.
 */
public final class DataException extends IllegalArgumentException {
  @Serial private static final long serialVersionUID = 1;

  public DataException(String message) {
    super(ShownText.lines(message));
  }

  public DataException(String message, Throwable cause) {
    super(ShownText.lines(message), cause);
  }
}
