package dev.wukong.serving;

import dev.wukong.serving.predict.FeedbackTokens;
import java.nio.file.Path;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The settings under {@code wukong.feedback}.
 *
 * @param keyFile of the keys that authenticate prediction ids; empty: they are not authenticated
 */
public record FeedbackProperties(@DefaultValue("") String keyFile) {
  /** Makes and checks prediction ids. */
  FeedbackTokens tokens() {
    if (keyFile.isEmpty()) {
      return FeedbackTokens.plain();
    }
    try {
      return FeedbackTokens.read(Path.of(keyFile));
    } catch (IllegalArgumentException e) {
      throw new SettingException("wukong.feedback.key-file is " + e.getMessage(), e);
    }
  }
}
