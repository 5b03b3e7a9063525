package dev.wukong.bundle;

import dev.wukong.text.ShownText;
import java.io.IOException;

/**
 * A bundle, or a file of one, that must not be used. The message says which file and field, what
 * was found and what is allowed. It may show what others have written, so it has no control
 * characters.
 */
public final class BundleException extends IOException {
  private static final long serialVersionUID = 1L;

  public BundleException(String message) {
    super(ShownText.lines(message));
  }

  public BundleException(String message, Throwable cause) {
    super(ShownText.lines(message), cause);
  }

  /** The same failure, with the place it was found in front. */
  BundleException at(String place) {
    return new BundleException(place + ": " + getMessage(), this);
  }
}
