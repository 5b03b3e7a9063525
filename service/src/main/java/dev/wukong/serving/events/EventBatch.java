package dev.wukong.serving.events;

import dev.wukong.serving.events.EventLog.Place;
import dev.wukong.serving.events.FeedbackItem.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Events that are written together, and who is to be told of it. The writer's thread only. */
final class EventBatch {
  private static final Logger logger = LoggerFactory.getLogger(EventBatch.class);

  private record Refused(WaitingEvent.Given given, Outcome outcome) {}

  private final EventLog log;
  private final EventMeters meters;
  private final long first;
  private final List<EncodedEvent> events = new ArrayList<>();

  /** Predictions that the log does not have before this batch is written. */
  private final Map<PredictionId, Place> fresh = new HashMap<>();

  /** What each of {@link #events} came from. */
  private final List<WaitingEvent> written = new ArrayList<>();

  /** Feedback of which nothing is written, and what becomes of it. */
  private final List<Refused> refused = new ArrayList<>();

  private final List<WaitingEvent.Sweep> sweeps = new ArrayList<>();

  /** An empty one, to stand at the end of {@code log}. */
  EventBatch(EventLog log, EventMeters meters) {
    this.log = log;
    this.meters = meters;
    this.first = log.end();
  }

  /** Adds what waits. */
  void add(WaitingEvent waiting) {
    switch (waiting) {
      case WaitingEvent.Scored scored -> add(scored, scored.event());
      case WaitingEvent.Control control -> add(control, control.event());
      case WaitingEvent.Given given -> give(given);
      case WaitingEvent.Sequence sequence ->
          sequence.events().apply(first + events.size()).forEach(event -> add(sequence, event));
      case WaitingEvent.Sweep sweep -> sweeps.add(sweep);
    }
  }

  private void add(WaitingEvent waiting, EncodedEvent event) {
    PredictionId prediction = event.prediction();
    if (prediction != null) {
      long position = first + events.size();
      fresh.put(prediction, new Place(position, event.model(), event.candidates()));
    }
    events.add(event);
    written.add(waiting);
  }

  private void give(WaitingEvent.Given given) {
    Optional<Place> place;
    try {
      place = find(given.item().prediction());
    } catch (EventLogException e) {
      logger.warn("cannot look up a prediction", e);
      refuse(given, new Outcome.Failed("the event log cannot be read: " + e.getMessage()));
      return;
    }
    if (place.isEmpty()) {
      refuse(given, new Outcome.Unknown());
      return;
    }
    Optional<String> wrong = FeedbackEvents.wrong(given.item(), place.get().candidates());
    if (wrong.isPresent()) {
      refuse(given, new Outcome.Invalid(wrong.get()));
      return;
    }
    add(
        given,
        EncodedEvent.of(
            place.get().model(), FeedbackEvents.event(given.item(), place.get().position())));
  }

  private void refuse(WaitingEvent.Given given, Outcome outcome) {
    refused.add(new Refused(given, outcome));
  }

  private Optional<Place> find(PredictionId prediction) {
    Place here = fresh.get(prediction);
    return here == null ? log.find(prediction) : Optional.of(here);
  }

  /** What is to be appended, in order; may be nothing. */
  List<EncodedEvent> events() {
    return events;
  }

  /** Tells all that what is theirs is in the log, or why it never will be. */
  void written() {
    for (int i = 0; i < events.size(); i++) {
      meters.logged(events.get(i).kind());
      long position = first + i;
      switch (written.get(i)) {
        case WaitingEvent.Given given -> settle(given, new Outcome.Durable(position), meters);
        case WaitingEvent.Control control -> control.position().complete(position);
        case WaitingEvent.Sequence sequence -> {
          boolean _ = sequence.done().complete(null); // With its first event, once.
        }
        case WaitingEvent.Scored _, WaitingEvent.Sweep _ -> {}
      }
    }
    refused.forEach(one -> settle(one.given(), one.outcome(), meters));
  }

  /** Those who wait until old events are trimmed. */
  List<WaitingEvent.Sweep> sweeps() {
    return sweeps;
  }

  /** Tells whose {@code waiting} is that it is not known to be in the log. */
  static void fail(
      WaitingEvent waiting, String reason, EventMeters meters, EventMeters.Unlogged as) {
    switch (waiting) {
      case WaitingEvent.Scored _ -> meters.unlogged(as);
      case WaitingEvent.Given given -> settle(given, new Outcome.Failed(reason), meters);
      case WaitingEvent.Control control ->
          control.position().completeExceptionally(new EventLogException(reason, null));
      case WaitingEvent.Sequence sequence ->
          sequence.done().completeExceptionally(new EventLogException(reason, null));
      case WaitingEvent.Sweep sweep ->
          sweep.done().completeExceptionally(new EventLogException(reason, null));
    }
  }

  /** Counts {@code outcome} and tells it. */
  static void settle(WaitingEvent.Given given, Outcome outcome, EventMeters meters) {
    meters.settle(outcome, given.done());
  }
}
