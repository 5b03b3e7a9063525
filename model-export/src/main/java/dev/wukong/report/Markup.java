package dev.wukong.report;

import java.util.ArrayDeque;
import java.util.Deque;

/** HTML in the making: text and attributes are escaped, elements closed in order. One thread. */
final class Markup {
  private final StringBuilder out = new StringBuilder("<!DOCTYPE html>\n");
  private final Deque<String> open = new ArrayDeque<>();

  /**
   * Begins an element.
   *
   * @param attributes names and values in turn
   */
  Markup open(String element, String... attributes) {
    open.push(element);
    return tag(element, attributes);
  }

  /** Ends the element that was begun last. */
  Markup close() {
    out.append("</").append(open.pop()).append('>');
    return this;
  }

  /** Writes an element that cannot hold anything, such as {@code meta}. */
  Markup tag(String element, String... attributes) {
    out.append('<').append(element);
    for (int i = 0; i < attributes.length; i += 2) {
      out.append(' ').append(attributes[i]).append("=\"");
      text(attributes[i + 1]).out.append('"');
    }
    out.append('>');
    return this;
  }

  /** Writes an element that holds nothing but text. */
  Markup element(String element, String text, String... attributes) {
    return open(element, attributes).text(text).close();
  }

  /** Writes text, whatever it holds. */
  Markup text(String text) {
    PlainText.clean(text)
        .chars()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.append((char) c);
              }
            });
    return this;
  }

  /** Begins a new line, for those who read the source. */
  Markup line() {
    out.append('\n');
    return this;
  }

  /** Writes a script, style sheet or comment as it is; it must not hold its own end. */
  Markup raw(String trusted) {
    out.append(trusted);
    return this;
  }

  /** Returns the document, all of whose elements must have been ended. */
  String document() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("elements not ended: " + open);
    }
    return out.append('\n').toString();
  }
}
