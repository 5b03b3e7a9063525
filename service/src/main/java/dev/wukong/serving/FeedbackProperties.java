package dev.wukong.serving;

import dev.wukong.serving.predict.FeedbackTokens;
import java.nio.file.Path;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The settings under {@code wukong.feedback}.
 *
 * @param keyFile of the keys that authenticate prediction ids; empty: they are not authenticated
 * @param rate events a second that a caller may report; 0: as many as it likes
 */
public record FeedbackProperties(
    @DefaultValue("") String keyFile, @DefaultValue("10000") double rate) {
  private static final double MOST = 1e7;

  public FeedbackProperties {
    SettingException.require(
        rate >= 0 && rate <= MOST, "wukong.feedback.rate", rate, "are 0 (no bound) to 10000000");
  }

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
