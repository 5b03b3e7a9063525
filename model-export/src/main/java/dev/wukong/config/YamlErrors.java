package dev.wukong.config;

import dev.wukong.text.ShownText;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;

/** What is wrong with a YAML file, in words for the person who wrote it. */
public final class YamlErrors {
  private static final Pattern TWICE = Pattern.compile("(?i)duplicate Object property \"(.*?)\"");
  private static final Pattern NUMBER =
      Pattern.compile("(?s)Malformed numeric value '([^']*?)'?:? .*");

  private YamlErrors() {}

  /** What stands after the file's name: {@code line 3: ...}. */
  public static String describe(JacksonException e) {
    String message = String.valueOf(e.getOriginalMessage());
    String line = "line " + e.getLocation().getLineNr();
    Matcher twice = TWICE.matcher(message);
    if (twice.find()) {
      return "%s: the key '%s' stands twice, want it once"
          .formatted(line, ShownText.of(twice.group(1)));
    }
    Matcher number = NUMBER.matcher(message);
    if (number.matches()) {
      return "%s: '%s' is no number that can be used, want a finite one"
          .formatted(line, ShownText.of(number.group(1)));
    }
    return "%s: this is not YAML: %s"
        .formatted(line, ShownText.oneLine(message.lines().findFirst().orElse("")));
  }
}
