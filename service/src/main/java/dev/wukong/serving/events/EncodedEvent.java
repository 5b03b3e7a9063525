package dev.wukong.serving.events;

import org.jspecify.annotations.Nullable;

/**
 * An event as bytes, but for its position and its time, which only the log's writer knows: so that
 * whoever has the event can do that work. Any thread; the bytes are never changed.
 */
public final class EncodedEvent {
  private final EventKind kind;
  private final String model;
  private final byte[] body;
  private final @Nullable PredictionId prediction;
  private final int candidates;

  private EncodedEvent(
      EventKind kind,
      String model,
      byte[] body,
      @Nullable PredictionId prediction,
      int candidates) {
    this.kind = kind;
    this.model = model;
    this.body = body;
    this.prediction = prediction;
    this.candidates = candidates;
  }

  /**
   * Any event about {@code model}.
   *
   * @throws IllegalArgumentException if it is a scored request whose arrays are longer than its
   *     rows need
   */
  public static EncodedEvent of(String model, Event event) {
    if (event instanceof Event.Scored scored) {
      ScoredRequest request = scored.request();
      return scored(
          model,
          request,
          RowShape.ofExact(request.context()),
          RowShape.ofExact(request.candidates()));
    }
    return new EncodedEvent(EventKind.of(event), model, EventCodec.body(model, event), null, 0);
  }

  /**
   * A request that {@code model} has scored. Nothing of the request is kept: its arrays can be used
   * again.
   *
   * @param context what a row of the context has
   * @param candidates what a row of the candidates has
   */
  public static EncodedEvent scored(
      String model, ScoredRequest request, RowShape context, RowShape candidates) {
    return new EncodedEvent(
        EventKind.SCORED,
        model,
        EventCodec.body(model, request, context, candidates),
        request.id(),
        request.candidates().rows());
  }

  /**
   * A scored request that another process has sent as its {@link #body}.
   *
   * @param body not changed any more
   * @throws EventLogException if it is none
   */
  public static EncodedEvent received(byte[] body) {
    return EventCodec.received(body);
  }

  /** The same where that is known to be right. */
  static EncodedEvent received(String model, byte[] body, PredictionId id, int candidates) {
    return new EncodedEvent(EventKind.SCORED, model, body, id, candidates);
  }

  EventKind kind() {
    return kind;
  }

  /** The name of the model that it is about. */
  public String model() {
    return model;
  }

  /** All of it; not to be changed. */
  public byte[] body() {
    return body;
  }

  /** How many bytes it has. */
  public int size() {
    return body.length;
  }

  /** The prediction that it can be found by; null where it is no scored request. */
  public @Nullable PredictionId prediction() {
    return prediction;
  }

  /** How many candidates the prediction has. */
  public int candidates() {
    return candidates;
  }
}
