package dev.wukong.serving;

/** A setting that is never shown. */
public record Secret(String text) {
  /** The secret {@code text}; empty: there is none. */
  public static Secret of(String text) {
    return new Secret(text);
  }

  @Override
  public String toString() {
    return text.isEmpty() ? "none" : "***";
  }
}
