package dev.wukong.serving.events;

import dev.wukong.serving.events.FeedbackItem.Outcome;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/** What waits for the thread that writes the log. */
sealed interface WaitingEvent {
  /** Of what all take besides their arrays, about. */
  long FEW = 128;

  /** Bytes that it takes in memory, about. */
  long bytes();

  /** A scored request; nobody waits for it. */
  record Scored(EncodedEvent event) implements WaitingEvent {
    @Override
    public long bytes() {
      return FEW + event.size();
    }
  }

  /** Something about a prediction; {@code done} is told what became of it. */
  record Given(FeedbackItem item, Consumer<Outcome> done) implements WaitingEvent {
    @Override
    public long bytes() {
      return switch (item) {
        case FeedbackItem.Exposed exposed ->
            FEW + (long) Integer.BYTES * exposed.positions().length + exposed.source().length();
        case FeedbackItem.Labelled labelled ->
            FEW + labelled.task().length() + labelled.source().length();
      };
    }
  }

  /** An event that steers training; {@code position} is told where it stands. */
  record Control(EncodedEvent event, CompletableFuture<Long> position) implements WaitingEvent {
    @Override
    public long bytes() {
      return FEW + event.size();
    }
  }

  /**
   * Events that are brought together from streams; {@code done} is told that they are in the log.
   *
   * @param events makes them, for the position of the first
   */
  record Sequence(LongFunction<List<EncodedEvent>> events, CompletableFuture<Void> done)
      implements WaitingEvent {
    @Override
    public long bytes() {
      return FEW; // Who brings them together waits for them, so there are few.
    }
  }

  /** No event: what is before it is written, and what is old is trimmed. */
  record Sweep(CompletableFuture<Void> done) implements WaitingEvent {
    @Override
    public long bytes() {
      return FEW;
    }
  }
}
