package dev.wukong.serving.predict;

import dev.wukong.data.EncodedRows;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Room for a request's encoded rows, used again by the next. One request at a time. */
final class RequestRoom {
  private static final EncodedRows NONE =
      new EncodedRows(0, new long[0], new float[0], new float[0]);

  EncodedRows context = NONE;
  EncodedRows candidates = NONE;

  /** Rooms that no request uses now. Any thread. */
  static final class Pool {
    /** Kept at most: what more requests at once took is left to the collector. */
    private static final int MOST = 128;

    private final ConcurrentLinkedDeque<RequestRoom> idle = new ConcurrentLinkedDeque<>();
    private final AtomicInteger count = new AtomicInteger();

    RequestRoom take() {
      @Nullable RequestRoom room = idle.poll();
      if (room == null) {
        return new RequestRoom();
      }
      count.decrementAndGet();
      return room;
    }

    void put(RequestRoom room) {
      if (count.incrementAndGet() <= MOST) {
        idle.push(room);
      } else {
        count.decrementAndGet();
      }
    }
  }
}
