package dev.wukong.serving.security;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import dev.wukong.text.ShownText;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logger {@code wukong.audit}: a line for each call of an operator, who made it and what came
 * of it, and for each change of what serves. No line holds a token. Any thread.
 */
public final class Audit {
  private static final int LONGEST = 2000;

  private final Logger log = LoggerFactory.getLogger("wukong.audit");

  /**
   * A call of an operator has ended.
   *
   * @param call which one
   * @param asked what for, where it is known; a message of protobuf or a text
   * @param from the address of the caller
   * @param outcome a status
   */
  void called(String call, @Nullable Object asked, Caller caller, String from, String outcome) {
    log.info(
        "call={} asked={{}} by={} from={} outcome={}",
        ShownText.oneLine(call),
        text(asked),
        ShownText.oneLine(caller.name()),
        ShownText.oneLine(from),
        outcome);
  }

  /** What serves has changed. */
  public void changed(String what) {
    log.info("{}", ShownText.oneLine(what));
  }

  /** Without fields that are to stand in no log; with escapes for what is no plain character. */
  private static String printed(Message message) {
    Message.Builder shown = message.toBuilder();
    for (FieldDescriptor field : message.getAllFields().keySet()) {
      if (field.getOptions().getDebugRedact()) {
        shown.clearField(field);
      }
    }
    return TextFormat.printer().emittingSingleLine(true).printToString(shown);
  }

  private static String text(@Nullable Object asked) {
    String text =
        switch (asked) {
          case null -> "";
          case Message message -> printed(message);
          default -> ShownText.oneLine(String.valueOf(asked));
        };
    return text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : text.strip();
  }
}
