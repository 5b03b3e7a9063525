package dev.wukong.serving.security;

import dev.wukong.data.ShownText;
import java.util.regex.Pattern;

/**
 * A pattern of names in certificates: {@code dns:}, {@code uri:} or {@code cn:} and a name in which
 * {@code *} stands for some characters, of DNS names none that are dots, of URIs none that are
 * slashes.
 */
final class NamePattern {
  private static final Pattern FORM = Pattern.compile("(dns|uri|cn):\\S.*");

  private final Pattern pattern;

  private NamePattern(Pattern pattern) {
    this.pattern = pattern;
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
    String some = text.startsWith("dns:") ? "[^.]*" : text.startsWith("uri:") ? "[^/]*" : ".*";
    StringBuilder regex = new StringBuilder();
    int from = 0;
    for (int star = text.indexOf('*'); star >= 0; star = text.indexOf('*', from)) {
      regex.append(Pattern.quote(text.substring(from, star))).append(some);
      from = star + 1;
    }
    regex.append(Pattern.quote(text.substring(from)));
    // Names of machines are the same in capitals.
    int flags = text.startsWith("dns:") ? Pattern.CASE_INSENSITIVE : 0;
    return new NamePattern(Pattern.compile(regex.toString(), flags));
  }

  /** Whether {@code name}, as {@link CertificateNames} writes it, is one of these. */
  boolean matches(String name) {
    return pattern.matcher(name).matches();
  }
}
