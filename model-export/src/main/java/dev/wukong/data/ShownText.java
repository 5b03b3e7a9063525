package dev.wukong.data;

/** Text from outside as messages show it: its beginning where it is long. */
public final class ShownText {
  private static final int MAX = 80;

  private ShownText() {}

  /** Up to 80 characters of {@code text}; dots stand for the rest. */
  public static String of(String text) {
    if (text.length() <= MAX) {
      return text;
    }
    // Half of a pair of surrogates is no character.
    int end = Character.isHighSurrogate(text.charAt(MAX - 1)) ? MAX - 1 : MAX;
    return text.substring(0, end) + "...";
  }
}
