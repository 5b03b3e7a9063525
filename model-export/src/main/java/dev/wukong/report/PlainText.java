package dev.wukong.report;

/** Text as a document can hold it. */
final class PlainText {
  private static final char REPLACEMENT = '\uFFFD';

  private PlainText() {}

  /**
   * Returns the text with a replacement character in the place of what neither HTML nor UTF-8 can
   * hold: control characters, halves of surrogate pairs and code points that are no characters.
   */
  static String clean(String text) {
    if (text.codePoints().allMatch(PlainText::allowed)) {
      return text;
    }
    StringBuilder clean = new StringBuilder(text.length());
    text.codePoints().forEach(point -> clean.appendCodePoint(allowed(point) ? point : REPLACEMENT));
    return clean.toString();
  }

  private static boolean allowed(int point) {
    boolean control = Character.getType(point) == Character.CONTROL;
    boolean surrogate = Character.getType(point) == Character.SURROGATE;
    boolean noncharacter = (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
    boolean space = point == '\t' || point == '\n' || point == '\r';
    return space || !(control || surrogate || noncharacter);
  }
}
