package dev.wukong.serving.retraining;

import dev.wukong.serving.events.Event;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.hosting.ServedModel;
import java.time.Duration;

/**
 * The time in which a process trains a model. What it has learned goes to the version that serves
 * here, and to all others who follow. Closed by the trainer, once for each time it has learned in
 * it, as soon as it does nothing more. Any thread may ask; the trainer's thread commits.
 */
public interface Turn extends AutoCloseable {
  /** It is over: another process trains, or may. What was not committed is that one's to learn. */
  final class LostException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** For this reason. */
    public LostException(String reason, Throwable cause) {
      super(reason, cause);
    }

    /** For this reason. */
    public LostException(String reason) {
      super(reason);
    }
  }

  /** Who trains: above that of all others before; 0: nobody else ever does. */
  long epoch();

  /** Whether it is not over, as far as is known here. */
  boolean lasts();

  /**
   * Logs an event that steers training.
   *
   * @return its position; by then it is on stable storage
   * @throws dev.wukong.serving.events.EventLogException if it cannot be written
   */
  long append(String model, Event control) throws InterruptedException;

  /** The end of the log when that is above {@code beyond}, or after so long. */
  long awaitEnd(long beyond, Duration patience) throws InterruptedException;

  /**
   * Has a loaded version change, here and for all who follow: by the time this returns all of them
   * will, or this process has ended.
   *
   * @return as {@link ServedModel#commit}
   * @throws LostException if it is another's turn, or may be: then nothing has changed here
   */
  boolean commit(ServedModel served, long bundle, ModelCommit commit);

  @Override
  void close();
}
