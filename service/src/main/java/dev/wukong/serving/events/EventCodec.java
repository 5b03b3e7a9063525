package dev.wukong.serving.events;

import dev.wukong.data.EncodedRows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Events as bytes: the format, a checksum of all else and of the position, the time, and the body,
 * which needs no schema to be read. Whole numbers take as many bytes as they need, floats keep
 * every bit. Any thread.
 */
final class EventCodec {
  private static final byte FORMAT = 1;
  private static final int HEAD = 1 + Integer.BYTES + Long.BYTES;
  private static final int CHECKED = 1 + Integer.BYTES;

  /** Of what a scored request has besides its arrays, about. */
  private static final int FEW = 128;

  /** Of an id, about: most use up to 32 bits. */
  private static final int ID = 5;

  private EventCodec() {}

  /** An event but for its position and time. */
  static byte[] body(String model, Event event) {
    EventBytes bytes = new EventBytes(FEW);
    bytes.text(model);
    bytes.one(EventKind.of(event).code());
    switch (event) {
      case Event.Scored _ ->
          throw new IllegalArgumentException("a scored request needs the shapes of its rows");
      case Event.Exposed exposed -> {
        bytes.number(exposed.scored());
        bytes.number(exposed.positions().length);
        bytes.numbers(exposed.positions(), exposed.positions().length);
        bytes.fixed(exposed.timeMs());
        bytes.source(exposed.source());
      }
      case Event.Labelled labelled -> {
        bytes.number(labelled.scored());
        bytes.number(labelled.position());
        bytes.text(labelled.task());
        bytes.one(labelled.value());
        bytes.one(labelled.weight());
        bytes.fixed(labelled.timeMs());
        bytes.source(labelled.source());
      }
      case Event.Boundary _ -> {}
      case Event.Frozen frozen -> bytes.one(frozen.on() ? 1 : 0);
      case Event.Ordered(Event.Order order, long target) -> {
        bytes.one(order.code());
        bytes.fixed(target);
      }
      case Event.Sequenced sequenced -> {
        bytes.number(sequenced.events());
        sequenced.place().addTo(bytes);
        PredictionRun.addTo(bytes, sequenced.runs());
      }
    }
    return bytes.exact();
  }

  /** The same of a request whose arrays may be longer than these rows need. */
  static byte[] body(String model, ScoredRequest request, RowShape context, RowShape candidates) {
    int count = request.candidates().rows();
    EventBytes bytes =
        new EventBytes(
            Math.addExact(
                about(request.context(), context) + about(request.candidates(), candidates),
                FEW + count * (1 + request.tasks() * Float.BYTES)));
    bytes.text(model);
    bytes.one(EventKind.SCORED.code());
    bytes.fixed(request.id().high());
    bytes.fixed(request.id().low());
    bytes.number(request.version().bundle());
    bytes.number(request.version().epoch());
    bytes.number(request.version().dense());
    bytes.number(request.version().rows());
    bytes.fixed(request.encoding());
    rows(bytes, request.context(), context);
    rows(bytes, request.candidates(), candidates);
    boolean placed = request.contextOf().length > 0;
    bytes.one(placed ? 1 : 0);
    if (placed) {
      bytes.numbers(request.contextOf(), count);
    }
    bytes.number(request.tasks());
    bytes.floats(request.probabilities(), Math.multiplyExact(count, request.tasks()));
    return bytes.exact();
  }

  private static int about(EncodedRows rows, RowShape shape) {
    int each = shape.positions() * (ID + (shape.weighted() ? Float.BYTES : 0));
    return Math.multiplyExact(rows.rows(), each + shape.denseWidth() * Float.BYTES);
  }

  private static void rows(EventBytes bytes, EncodedRows rows, RowShape shape) {
    int ids = Math.multiplyExact(rows.rows(), shape.positions());
    bytes.number(rows.rows());
    bytes.number(shape.positions());
    bytes.number(shape.denseWidth());
    bytes.one(shape.weighted() ? 1 : 0);
    bytes.ids(rows.ids(), ids);
    bytes.floats(rows.weights(), shape.weighted() ? ids : 0);
    bytes.floats(rows.dense(), Math.multiplyExact(rows.rows(), shape.denseWidth()));
  }

  /** All of an event but for its position, which it is checked against. */
  static byte[] encode(long position, long atMs, byte[] body) {
    byte[] bytes = new byte[HEAD + body.length];
    ByteBuffer head = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    head.putLong(CHECKED, atMs);
    System.arraycopy(body, 0, bytes, HEAD, body.length);
    head.put(0, FORMAT).putInt(1, checksum(position, head));
    return bytes;
  }

  private static int checksum(long position, ByteBuffer bytes) {
    CRC32C sum = new CRC32C();
    sum.update(ByteBuffer.allocate(Long.BYTES).putLong(position).flip());
    sum.update(bytes.duplicate().position(CHECKED));
    return (int) sum.getValue();
  }

  /** As the other; the bytes are kept where it is a scored request. */
  static Logged decode(long position, byte[] bytes) {
    return decode(position, ByteBuffer.wrap(bytes), () -> scored(position, ByteBuffer.wrap(bytes)));
  }

  /**
   * The event that has these bytes, from the first to the limit, at {@code position}.
   *
   * @param whole reads all of it, where it is a scored request
   * @throws EventLogException if they are not what was written there, or of a later format
   */
  static Logged decode(long position, ByteBuffer bytes, Supplier<ScoredRequest> whole) {
    EventCursor in = checked(position, bytes);
    long atMs = in.fixed();
    String model = in.text();
    Event event =
        switch (kind(in)) {
          case SCORED -> {
            PredictionId _ = predictionId(in);
            yield new Event.Scored(version(in), in.fixed(), whole);
          }
          case EXPOSED ->
              in.last(
                  new Event.Exposed(in.number(), in.counts(in.count()), in.fixed(), in.source()));
          case LABELLED ->
              in.last(
                  new Event.Labelled(
                      in.number(),
                      in.count(),
                      in.text(),
                      in.oneFloat(),
                      in.oneFloat(),
                      in.fixed(),
                      in.source()));
          case BOUNDARY -> in.last(new Event.Boundary());
          case FROZEN -> in.last(new Event.Frozen(in.one() != 0));
          case ORDERED -> in.last(new Event.Ordered(order(in), in.fixed()));
          case SEQUENCED ->
              in.last(
                  new Event.Sequenced(in.count(), StreamPlace.read(in), PredictionRun.readAll(in)));
        };
    return new Logged(position, atMs, model, event);
  }

  /** At what the checksum is of. */
  private static EventCursor checked(long position, ByteBuffer bytes) {
    EventCursor in = new EventCursor(position, bytes, CHECKED);
    if (bytes.limit() < HEAD) {
      throw in.damaged("it has %d bytes".formatted(bytes.limit()));
    }
    if (bytes.get(0) != FORMAT) {
      throw new EventLogException(
          "event %d has format %d, this build reads %d".formatted(position, bytes.get(0), FORMAT),
          null);
    }
    int sum = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt(1);
    if (sum != checksum(position, bytes)) {
      throw in.damaged("its checksum is another");
    }
    return in;
  }

  /**
   * The scored request that has these bytes, from the first to the limit, at {@code position}.
   *
   * @throws EventLogException if it is none, and where {@link #decode} throws it
   */
  static ScoredRequest scored(long position, ByteBuffer bytes) {
    EventCursor in = checked(position, bytes);
    long _ = in.fixed();
    String _ = in.text();
    if (kind(in) != EventKind.SCORED) {
      throw new EventLogException("event %d is no scored request".formatted(position), null);
    }
    return in.last(scored(in));
  }

  /**
   * A scored request that came from elsewhere as its {@link EncodedEvent#body}.
   *
   * @throws EventLogException if it is none
   */
  static EncodedEvent received(byte[] body) {
    EventCursor in = new EventCursor(0, ByteBuffer.wrap(body), 0);
    String model = in.text();
    if (kind(in) != EventKind.SCORED) {
      throw in.damaged("it is no scored request");
    }
    ScoredRequest request = in.last(scored(in));
    return EncodedEvent.received(model, body, request.id(), request.candidates().rows());
  }

  /**
   * Which prediction these bytes at {@code position} are; null where they are another event.
   *
   * @throws EventLogException where {@link #decode} throws it
   */
  static @Nullable PredictionId prediction(long position, ByteBuffer bytes) {
    EventCursor in = checked(position, bytes);
    long _ = in.fixed();
    String _ = in.text();
    return kind(in) == EventKind.SCORED ? predictionId(in) : null;
  }

  private static EventKind kind(EventCursor in) {
    int code = in.one();
    for (EventKind kind : EventKind.values()) {
      if (kind.code() == code) {
        return kind;
      }
    }
    throw in.damaged("it is of kind " + code);
  }

  private static Event.Order order(EventCursor in) {
    int code = in.one();
    for (Event.Order order : Event.Order.values()) {
      if (order.code() == code) {
        return order;
      }
    }
    throw in.damaged("it is an order " + code);
  }

  private static PredictionId predictionId(EventCursor in) {
    return new PredictionId(in.fixed(), in.fixed());
  }

  private static ScoredVersion version(EventCursor in) {
    return new ScoredVersion(in.number(), in.number(), in.number(), in.number());
  }

  private static ScoredRequest scored(EventCursor in) {
    PredictionId id = predictionId(in);
    ScoredVersion version = version(in);
    long encoding = in.fixed();
    EncodedRows context = rows(in);
    EncodedRows candidates = rows(in);
    int[] contextOf = in.counts(in.one() == 0 ? 0 : candidates.rows());
    int tasks = in.count();
    float[] probabilities = in.floats((long) candidates.rows() * tasks);
    return new ScoredRequest(
        id, version, encoding, context, candidates, contextOf, tasks, probabilities);
  }

  private static EncodedRows rows(EventCursor in) {
    int rows = in.count();
    long ids = (long) rows * in.count();
    long numbers = (long) rows * in.count();
    boolean weighted = in.one() != 0;
    return new EncodedRows(rows, in.ids(ids), in.floats(weighted ? ids : 0), in.floats(numbers));
  }
}
