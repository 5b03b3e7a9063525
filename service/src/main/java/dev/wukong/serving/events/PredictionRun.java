package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Predictions that stand one after the other in the log, and in a partition of their stream.
 *
 * @param position of the first in the log
 * @param partition of the stream
 * @param offset of the first in it
 * @param count how many
 */
public record PredictionRun(long position, int partition, long offset, int count) {
  static void addTo(EventBytes bytes, List<PredictionRun> runs) {
    bytes.number(runs.size());
    for (PredictionRun run : runs) {
      bytes.number(run.position());
      bytes.number(run.partition());
      bytes.number(run.offset());
      bytes.number(run.count());
    }
  }

  static List<PredictionRun> readAll(EventCursor in) {
    int count = in.count();
    List<PredictionRun> runs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      runs.add(new PredictionRun(in.number(), in.count(), in.number(), in.count()));
    }
    return runs;
  }

  /** Some at rest. */
  public static byte[] bytes(List<PredictionRun> runs) {
    EventBytes bytes = new EventBytes(16);
    addTo(bytes, runs);
    return bytes.exact();
  }

  /**
   * What {@link #bytes} made.
   *
   * @throws EventLogException if it did not
   */
  public static List<PredictionRun> of(byte[] bytes) {
    EventCursor in = new EventCursor(0, ByteBuffer.wrap(bytes), 0);
    return in.last(readAll(in));
  }
}
