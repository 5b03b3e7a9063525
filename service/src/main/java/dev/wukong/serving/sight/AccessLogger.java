package dev.wukong.serving.sight;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logger {@code wukong.access}: bare lines on standard output, beside the other logs, unless
 * the logging's own configuration gives it another place.
 */
public final class AccessLogger implements Consumer<String> {
  /** The logger's name. */
  public static final String NAME = "wukong.access";

  private final Logger logger;

  private AccessLogger(Logger logger) {
    this.logger = logger;
  }

  /** The logger, with a place to write to. */
  public static AccessLogger open() {
    Logger logger = LoggerFactory.getLogger(NAME);
    if (logger instanceof ch.qos.logback.classic.Logger own
        && !own.iteratorForAppenders().hasNext()) {
      own.setAdditive(false);
      own.addAppender(console(own.getLoggerContext()));
    }
    return new AccessLogger(logger);
  }

  private static ConsoleAppender<ILoggingEvent> console(LoggerContext context) {
    PatternLayoutEncoder bare = new PatternLayoutEncoder();
    bare.setContext(context);
    bare.setCharset(StandardCharsets.UTF_8);
    bare.setPattern("%msg%n");
    bare.start();
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setContext(context);
    console.setName(NAME);
    console.setEncoder(bare);
    console.start();
    return console;
  }

  @Override
  public void accept(String line) {
    logger.info(line);
  }
}
