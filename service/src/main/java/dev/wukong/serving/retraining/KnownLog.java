package dev.wukong.serving.retraining;

import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.joining.LogPlace;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the log that a model has learned from and others apart, such as an older copy of it that
 * has grown since: by the time of the last event that was learned. One thread.
 */
record KnownLog(EventLog events) {
  private static final Logger log = LoggerFactory.getLogger(KnownLog.class);

  /** Whether the last event before a place is there, and is the one that is meant. */
  boolean has(LogPlace place) {
    long last = place.next() - 1;
    if (last < events.begin() || place.next() > events.end()) {
      return false;
    }
    List<Logged> found = events.read(last, 1);
    return !found.isEmpty()
        && found.getFirst().position() == last
        && found.getFirst().atMs() == place.lastMs();
  }

  /**
   * Fails where the log is another one, as far as can be told: where the last event that was
   * learned is trimmed, or was in a log that was lost, it cannot.
   *
   * @param learned up to where the model has learned
   */
  void check(String model, LogPlace learned) {
    // Looked for first: what is trimmed meanwhile cannot be asked for.
    boolean known = has(learned);
    if (learned.next() > events.end() || (!known && learned.next() > events.begin())) {
      throw new UnfitException(
          ("the log of events goes from position %d to %d, and the last event that model '%s' has"
                  + " learned, %d of time %d, is not in it: it is another log, or an older copy."
                  + " Bring back the one in wukong.online.events-dir, or remove that folder and"
                  + " restart: a new log begins where the model has come to")
              .formatted(
                  events.begin(), events.end(), model, learned.next() - 1, learned.lastMs()));
    }
    if (learned.next() > 0 && learned.next() < events.begin()) {
      log.warn(
          "model '{}': the log of events begins at position {}, and the model has learned up to"
              + " {}: what was between is lost",
          model,
          events.begin(),
          learned.next());
    }
  }
}
