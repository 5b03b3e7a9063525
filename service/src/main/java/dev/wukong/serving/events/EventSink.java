package dev.wukong.serving.events;

import dev.wukong.serving.events.FeedbackItem.Outcome;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** Takes what happens, to be logged: where requests are answered and feedback comes. Any thread. */
public interface EventSink {
  /**
   * Logs a scored request soon. Never waits.
   *
   * @return false if it will not be: too many wait, or nothing more is taken. If the log fails
   *     before it is written, it is lost and counted
   */
  boolean offer(EncodedEvent scored);

  /**
   * Logs feedback. Waits while too much waits already.
   *
   * @param patience how long to wait at most
   * @param done told what became of it: on a thread of the log's, so it should be quick, or at once
   *     on this one
   * @return false if there was no room in time: then {@code done} is not told
   */
  boolean submit(FeedbackItem item, Duration patience, Consumer<Outcome> done)
      throws InterruptedException;

  /** Why nothing is logged any more; empty while all is well. */
  Optional<String> failure();

  /** Why nothing is logged until training has gone on; empty while there is room. */
  Optional<String> full();
}
