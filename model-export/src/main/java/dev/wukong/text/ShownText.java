package dev.wukong.text;

/**
 * Text from outside as messages show it: its beginning where it is long, on one line, without what
 * terminals take for commands.
 */
public final class ShownText {
  private static final int MAX = 80;

  private ShownText() {}

  /** Up to 80 characters of {@code text}; dots stand for the rest. */
  public static String of(String text) {
    return text.length() <= MAX ? oneLine(text) : oneLine(beginning(text)) + "...";
  }

  private static String beginning(String text) {
    // Half of a pair of surrogates is no character.
    int end = Character.isHighSurrogate(text.charAt(MAX - 1)) ? MAX - 1 : MAX;
    return text.substring(0, end);
  }

  /** All of {@code text}, with control characters and those that turn the line as escapes. */
  public static String oneLine(String text) {
    return shown(text, false);
  }

  /** The same, whose lines stay: for messages that may have several. */
  public static String lines(String text) {
    return shown(text, true);
  }

  private static String shown(String text, boolean lines) {
    StringBuilder shown = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (lines && c == '\n') {
        shown.append(c);
        continue;
      }
      switch (Character.getType(c)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR ->
            shown.append("\\u%04x".formatted((int) c));
        default -> shown.append(c);
      }
    }
    return shown.toString();
  }
}
