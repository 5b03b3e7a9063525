package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Up to where the streams of a cluster were read: all before these offsets is in the log, but what
 * is held, which waits for its prediction. Partitions that came later are read from their
 * beginning.
 *
 * @param predictions the next offset of each partition
 * @param feedback the same
 * @param held feedback that was read and is not in the log, by partition and offset
 */
public record StreamPlace(List<Long> predictions, List<Long> feedback, List<Held> held) {
  /** Nothing was read. */
  public static final StreamPlace NONE = new StreamPlace(List.of(), List.of(), List.of());

  /** Where in the stream of feedback something stands. */
  public record Held(int partition, long offset) {}

  public StreamPlace {
    predictions = List.copyOf(predictions);
    feedback = List.copyOf(feedback);
    held = List.copyOf(held);
  }

  void addTo(EventBytes bytes) {
    addTo(bytes, predictions);
    addTo(bytes, feedback);
    bytes.number(held.size());
    for (Held one : held) {
      bytes.number(one.partition());
      bytes.number(one.offset());
    }
  }

  private static void addTo(EventBytes bytes, List<Long> offsets) {
    bytes.number(offsets.size());
    offsets.forEach(bytes::number);
  }

  static StreamPlace read(EventCursor in) {
    List<Long> predictions = offsets(in);
    List<Long> feedback = offsets(in);
    int count = in.count();
    List<Held> held = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      held.add(new Held(in.count(), in.number()));
    }
    return new StreamPlace(predictions, feedback, held);
  }

  private static List<Long> offsets(EventCursor in) {
    int count = in.count();
    List<Long> offsets = new ArrayList<>(); // Each takes a byte, so it grows no further than these.
    for (int i = 0; i < count; i++) {
      offsets.add(in.number());
    }
    return offsets;
  }

  /** It at rest. */
  public byte[] bytes() {
    EventBytes bytes = new EventBytes(64);
    addTo(bytes);
    return bytes.exact();
  }

  /**
   * What {@link #bytes} made.
   *
   * @throws EventLogException if it did not
   */
  public static StreamPlace of(byte[] bytes) {
    EventCursor in = new EventCursor(0, ByteBuffer.wrap(bytes), 0);
    return in.last(read(in));
  }
}
