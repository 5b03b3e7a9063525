package dev.wukong.serving.events;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * All events in the order in which they were logged, durable. One thread appends and trims; any
 * thread may read. Reading blocks on a disk, so it belongs on a platform thread.
 */
public interface EventLog extends AutoCloseable {
  /**
   * Where a prediction stands.
   *
   * @param position in the log
   * @param candidates how many it has
   */
  record Place(long position, String model, int candidates) {}

  /** The position of the oldest event that was not trimmed; {@link #end} where there is none. */
  long begin();

  /** The position that the next event gets; all below are durable, as far as they were kept. */
  long end();

  /** The time of the last event; that of the next one is not below it. 0 where there was none. */
  long lastMs();

  /**
   * Has the first event of a log that never had one stand at {@code position}, so that it has no
   * position that was used in another one.
   *
   * @throws IllegalStateException if it has had one, or begins elsewhere already
   * @throws EventLogException where that cannot be written
   */
  void beginAt(long position);

  /**
   * Forgets the events from {@code position} on, the last first, so that the next one stands there;
   * where the log ends before it, all of them.
   *
   * @param atMs the time of the event before it; that of the next one is not below it
   * @throws EventLogException where that cannot be written
   */
  void rewind(long position, long atMs);

  /**
   * Appends events, all or none; they are on stable storage when it returns, and nobody reads them
   * before. The first has the position {@link #end}, the others follow.
   *
   * @param atMs when they are logged: milliseconds since 1970-01-01 UTC
   * @throws IllegalArgumentException if that is before {@link #lastMs}
   * @throws EventLogException where they cannot be written: then nothing is appended any more, and
   *     each further call says why
   */
  void append(long atMs, List<EncodedEvent> events);

  /**
   * The events from {@code from} on, in order; fewer than {@code most} at the end, or where they
   * are large. What was trimmed is passed over.
   *
   * @throws EventLogException where they cannot be read
   */
  List<Logged> read(long from, int most);

  /**
   * The request that was scored at {@code position}; null where it was trimmed.
   *
   * @throws EventLogException where it cannot be read, or is no scored request
   */
  @Nullable ScoredRequest scored(long position);

  /**
   * Where a prediction stands, if it was logged and not trimmed.
   *
   * @throws EventLogException where that cannot be read
   */
  Optional<Place> find(PredictionId id);

  /**
   * Forgets events before {@code position}, and predictions made before {@code madeMs}: now or
   * later, in part or all.
   *
   * @throws EventLogException where that cannot be written
   */
  void trim(long position, long madeMs);

  /** Bytes that it takes on disk, about. Those of what was trimmed go later, many at a time. */
  long bytes();

  /** Waits for reads that are under way, and refuses what comes after. */
  @Override
  void close();
}
