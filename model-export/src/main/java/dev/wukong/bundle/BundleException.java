package dev.wukong.bundle;

import java.io.IOException;

/**
 * A bundle, or a file of one, that must not be used. The message says which file and field, what
 * was found and what is allowed.
 */
public final class BundleException extends IOException {
  private static final long serialVersionUID = 1L;

  public BundleException(String message) {
    super(message);
  }

  public BundleException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The same failure, with the place it was found in front. */
  BundleException at(String place) {
    return new BundleException(place + ": " + getMessage(), this);
  }
}
