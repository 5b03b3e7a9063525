package dev.wukong.config;

import dev.wukong.text.ShownText;

/**
 * A configuration that cannot be used; the message names the path, the value and what is allowed.
 * It has no control characters.
 */
public final class ConfigException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(ShownText.lines(message));
  }
}
