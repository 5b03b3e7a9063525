package dev.wukong.serving.security;

import dev.wukong.text.ShownText;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A pattern of names in certificates: {@code dns:}, {@code uri:} or {@code cn:} and a name in which
 * {@code *} stands for some characters, of DNS names none that are dots, of URIs none that are
 * slashes. Whoever has a certificate has chosen its names, so they are compared in no more steps
 * than name times pattern: a regular expression of several stars takes as many as there are ways to
 * share a name out among them. Any thread.
 */
final class NamePattern {
  private static final Pattern FORM = Pattern.compile("(dns|uri|cn):\\S.*");
  private static final char SOME = '*';

  /** What no star stands for; empty: nothing. */
  private final String between;

  /** What is between these. */
  private final List<String> parts;

  private NamePattern(String text) {
    this.between = text.startsWith("dns:") ? "." : text.startsWith("uri:") ? "/" : "";
    this.parts = parts(text);
  }

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException where it is none; the message is about the value
   */
  static NamePattern parse(String text) {
    if (!FORM.matcher(text).matches()) {
      throw new IllegalArgumentException(
          ("'%s', allowed are names in certificates such as dns:ranker.example.com,"
                  + " uri:spiffe://shop/* and cn:ranker")
              .formatted(ShownText.of(text)));
    }
    return new NamePattern(text);
  }

  private List<String> parts(String name) {
    return switch (between) {
      case "." -> List.of(name.toLowerCase(Locale.ROOT).split("\\.", -1)); // Machines' names.
      case "/" -> List.of(name.split("/", -1));
      default -> List.of(name);
    };
  }

  /** Whether {@code name}, as {@link CertificateNames} writes it, is one of these. */
  boolean matches(String name) {
    List<String> given = parts(name);
    if (given.size() != parts.size()) {
      return false;
    }
    for (int i = 0; i < given.size(); i++) {
      if (!matches(parts.get(i), given.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** Where it goes on differently, the last star takes one more: those before it need no other. */
  private static boolean matches(String pattern, String text) {
    int at = 0;
    int star = -1;
    int taken = 0;
    int i = 0;
    while (i < text.length()) {
      if (at < pattern.length() && pattern.charAt(at) == SOME) {
        star = at++;
        taken = i;
      } else if (at < pattern.length() && pattern.charAt(at) == text.charAt(i)) {
        at++;
        i++;
      } else if (star >= 0) {
        at = star + 1;
        i = ++taken;
      } else {
        return false;
      }
    }
    while (at < pattern.length() && pattern.charAt(at) == SOME) {
      at++;
    }
    return at == pattern.length();
  }
}
