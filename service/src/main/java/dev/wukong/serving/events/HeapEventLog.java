package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A log on the heap: for tests, and for trying things out. It is as durable as its process. */
public final class HeapEventLog implements EventLog {
  private final NavigableMap<Long, byte[]> events = new TreeMap<>();
  private final Map<PredictionId, Place> predictions = new HashMap<>();
  private long begin;
  private long end;
  private long lastMs;
  private long bytes;
  private boolean closed;

  private void checkOpen() {
    if (closed) {
      throw new EventLogException("the event log is closed", null);
    }
  }

  @Override
  public synchronized long begin() {
    return begin;
  }

  @Override
  public synchronized long end() {
    return end;
  }

  @Override
  public synchronized long lastMs() {
    return lastMs;
  }

  @Override
  public synchronized void beginAt(long position) {
    checkOpen();
    if (end > 0) {
      throw new IllegalStateException("the log ends at %d, must be new".formatted(end));
    }
    begin = position;
    end = position;
  }

  @Override
  public synchronized void rewind(long position, long atMs) {
    checkOpen();
    boolean part = position >= begin && position <= end;
    NavigableMap<Long, byte[]> forgotten = part ? events.tailMap(position, true) : events;
    forgotten.values().forEach(encoded -> bytes -= encoded.length);
    forgotten.clear();
    predictions.values().removeIf(place -> !part || place.position() >= position);
    begin = part ? begin : position;
    end = position;
    lastMs = atMs;
  }

  @Override
  public synchronized void append(long atMs, List<EncodedEvent> added) {
    checkOpen();
    if (added.isEmpty()) {
      return;
    }
    if (atMs < lastMs) {
      throw new IllegalArgumentException(
          "events of time %d cannot follow one of %d".formatted(atMs, lastMs));
    }
    for (EncodedEvent event : added) {
      byte[] encoded = EventCodec.encode(end, atMs, event.body());
      PredictionId prediction = event.prediction();
      if (prediction != null) {
        predictions.put(prediction, new Place(end, event.model(), event.candidates()));
      }
      events.put(end, encoded);
      bytes += encoded.length;
      end++;
    }
    lastMs = atMs;
  }

  @Override
  public synchronized List<Logged> read(long from, int most) {
    checkOpen();
    List<Logged> found = new ArrayList<>();
    for (Map.Entry<Long, byte[]> next : events.tailMap(from).entrySet()) {
      if (found.size() >= most) {
        break;
      }
      found.add(EventCodec.decode(next.getKey(), next.getValue()));
    }
    return found;
  }

  @Override
  public synchronized @Nullable ScoredRequest scored(long position) {
    checkOpen();
    if (position < begin) {
      return null;
    }
    byte[] encoded = events.get(position);
    if (encoded == null) {
      throw new EventLogException("there is no event %d".formatted(position), null);
    }
    return EventCodec.scored(position, ByteBuffer.wrap(encoded));
  }

  @Override
  public synchronized Optional<Place> find(PredictionId id) {
    checkOpen();
    return Optional.ofNullable(predictions.get(id));
  }

  @Override
  public synchronized void trim(long position, long madeMs) {
    checkOpen();
    begin = Math.max(begin, Math.min(position, end));
    NavigableMap<Long, byte[]> trimmed = events.headMap(begin, false);
    trimmed.values().forEach(encoded -> bytes -= encoded.length);
    trimmed.clear();
    predictions
        .entrySet()
        .removeIf(known -> known.getKey().madeMs() < madeMs || known.getValue().position() < begin);
  }

  @Override
  public synchronized long bytes() {
    return bytes;
  }

  @Override
  public synchronized void close() {
    closed = true;
  }
}
