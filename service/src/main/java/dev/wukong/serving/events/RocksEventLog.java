package dev.wukong.serving.events;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;

/**
 * A log in a RocksDB of its own: events by position, the places of predictions by their id, and two
 * marks: where the log ends, written with each batch so that no position is used twice, and where
 * it begins. What lies before that is hidden at once; its files go when all that they hold does, so
 * that nothing is ever compacted for a trim.
 */
public final class RocksEventLog implements EventLog {
  private static final byte[] END = "end".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] BEGIN = "begin".getBytes(StandardCharsets.US_ASCII);

  /** Of events in memory before they become a file. */
  private static final long FILE_BYTES = 64L << 20;

  /** Of what one read returns, about. */
  private static final long READ_BYTES = 4L << 20;

  /** A question to the database. */
  private interface RocksQuery<T extends @Nullable Object> {
    T ask() throws RocksDBException;
  }

  private final Path directory;
  private final RocksEventFamilies families;
  private final RocksDB db;
  private final ColumnFamilyHandle marks;
  private final ColumnFamilyHandle events;
  private final ColumnFamilyHandle predictions;

  /** Held for writing by who closes, so that nobody is in native code meanwhile. */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Guarded by {@link #lock}. */
  private boolean closed;

  /** Held while an event is read in it. */
  private final RocksReadRoom room = new RocksReadRoom();

  private volatile long begin;
  private volatile long end;
  private volatile long lastMs;

  /** Predictions made before are forgotten. */
  private volatile long madeMs;

  /** Why nothing is written any more. */
  private volatile @Nullable EventLogException failure;

  private RocksEventLog(Path directory, RocksEventFamilies families) throws RocksDBException {
    this.directory = directory;
    this.families = families;
    db = families.db();
    marks = families.marks();
    events = families.events();
    predictions = families.predictions();
    ByteBuffer last = mark(END);
    end = last.getLong();
    lastMs = last.getLong();
    ByteBuffer first = mark(BEGIN);
    begin = first.getLong();
    madeMs = first.getLong();
    checkLast();
    dropFiles();
  }

  /**
   * Opens or creates the log in {@code directory}, which one process may have open at a time.
   *
   * @throws EventLogException if the directory cannot be made or opened, or its log is damaged
   */
  public static RocksEventLog open(Path directory) {
    return open(directory, FILE_BYTES);
  }

  /** The same with files of events of some {@code fileBytes} each. */
  static RocksEventLog open(Path directory, long fileBytes) {
    try {
      Files.createDirectories(directory);
      RocksEventFamilies families = RocksEventFamilies.open(directory, fileBytes);
      boolean done = false;
      try {
        RocksEventLog log = new RocksEventLog(directory, families);
        done = true;
        return log;
      } finally {
        if (!done) {
          families.close();
        }
      }
    } catch (IOException | RocksDBException e) {
      throw new EventLogException(
          "cannot open the event log in %s: %s".formatted(directory, e.getMessage()), e);
    }
  }

  /** Two numbers, 0 where they were never written. */
  private ByteBuffer mark(byte[] name) throws RocksDBException {
    byte[] value = db.get(marks, name);
    return ByteBuffer.wrap(value == null ? new byte[2 * Long.BYTES] : value);
  }

  private static byte[] mark(long position, long ms) {
    return ByteBuffer.allocate(2 * Long.BYTES).putLong(position).putLong(ms).array();
  }

  /** The last event must be the one that the mark says, or some are lost. */
  private void checkLast() throws RocksDBException {
    long last = begin - 1;
    try (RocksIterator found = db.newIterator(events, families.once())) {
      found.seekToLast();
      if (found.isValid()) {
        last = Math.max(last, position(found.key()));
      }
      found.status();
    }
    if (last != end - 1) {
      throw new EventLogException(
          "the event log in %s is damaged: it ends with event %d, not %d"
              .formatted(directory, last, end - 1),
          null);
    }
  }

  private static byte[] key(long position) {
    return ByteBuffer.allocate(Long.BYTES).putLong(position).array();
  }

  private static long position(byte[] key) {
    return ByteBuffer.wrap(key).getLong();
  }

  private <T extends @Nullable Object> T ask(String what, RocksQuery<T> query) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new EventLogException("the event log is closed", null);
      }
      return query.ask();
    } catch (RocksDBException e) {
      throw new EventLogException("%s failed: %s".formatted(what, e.getMessage()), e);
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public long begin() {
    return begin;
  }

  @Override
  public long end() {
    return end;
  }

  @Override
  public long lastMs() {
    return lastMs;
  }

  @Override
  public synchronized void beginAt(long position) {
    if (end > 0) {
      throw new IllegalStateException("the log ends at %d, must be new".formatted(end));
    }
    write(
        "beginning the log",
        batch -> {
          batch.put(marks, BEGIN, mark(position, madeMs));
          batch.put(marks, END, mark(position, lastMs));
        });
    begin = position;
    end = position;
  }

  @Override
  public synchronized void rewind(long position, long atMs) {
    boolean part = position >= begin && position <= end;
    long from = part ? position : 0;
    long first = part ? begin : position;
    List<byte[]> made = part ? madeFrom(position) : List.of();
    write(
        "rewinding the log to %d".formatted(position),
        batch -> {
          batch.deleteRange(events, key(from), key(Long.MAX_VALUE));
          if (part) {
            for (byte[] prediction : made) {
              batch.delete(predictions, prediction);
            }
          } else {
            batch.deleteRange(predictions, RocksEventPlace.firstKey(0), RocksEventPlace.END);
          }
          batch.put(marks, BEGIN, mark(first, madeMs));
          batch.put(marks, END, mark(position, atMs));
        });
    begin = first;
    end = position;
    lastMs = atMs;
  }

  /** The keys of the predictions at {@code position} and above. */
  private List<byte[]> madeFrom(long position) {
    return ask(
        "reading events from %d".formatted(position),
        () -> {
          List<byte[]> keys = new ArrayList<>();
          try (RocksIterator found = db.newIterator(events, families.once())) {
            for (found.seek(key(position)); found.isValid(); found.next()) {
              long at = position(found.key());
              PredictionId id = EventCodec.prediction(at, ByteBuffer.wrap(found.value()));
              if (id != null) {
                keys.add(RocksEventPlace.key(id));
              }
            }
            found.status();
          }
          return keys;
        });
  }

  @Override
  public synchronized void append(long atMs, List<EncodedEvent> added) {
    if (atMs < lastMs) {
      throw new IllegalArgumentException(
          "events of time %d cannot follow one of %d".formatted(atMs, lastMs));
    }
    if (added.isEmpty()) {
      return;
    }
    long next = end + added.size();
    write(
        "writing %d events".formatted(added.size()),
        batch -> {
          for (int i = 0; i < added.size(); i++) {
            EncodedEvent event = added.get(i);
            long position = end + i;
            batch.put(events, key(position), EventCodec.encode(position, atMs, event.body()));
            PredictionId id = event.prediction();
            if (id != null) {
              RocksEventPlace place =
                  new RocksEventPlace(position, event.candidates(), event.model());
              batch.put(predictions, RocksEventPlace.key(id), place.bytes());
            }
          }
          batch.put(marks, END, mark(next, atMs));
        });
    lastMs = atMs;
    end = next;
  }

  /** What a write consists of. */
  private interface RocksContent {
    void addTo(WriteBatch batch) throws RocksDBException;
  }

  /**
   * Writes, or never again: what the disk did with a write that failed nobody knows, and a second
   * try may succeed without it.
   */
  private void write(String what, RocksContent content) {
    EventLogException first = failure;
    if (first != null) {
      throw new EventLogException(
          "nothing is logged since %s".formatted(first.getMessage()), first);
    }
    int _ =
        ask(
            what,
            () -> {
              try (WriteBatch batch = new WriteBatch()) {
                content.addTo(batch);
                try {
                  db.write(families.durable(), batch);
                } catch (RocksDBException e) {
                  failure =
                      new EventLogException("%s failed: %s".formatted(what, e.getMessage()), e);
                  throw e;
                }
              }
              return 0;
            });
  }

  @Override
  public List<Logged> read(long from, int most) {
    synchronized (room) {
      return ask("reading events from %d".formatted(from), () -> readOpen(from, most));
    }
  }

  private List<Logged> readOpen(long from, int most) throws RocksDBException {
    long stop = end;
    long next = Math.max(from, begin);
    List<Logged> read = new ArrayList<>();
    try (RocksIterator found = db.newIterator(events, families.once())) {
      found.seek(key(next));
      long bytes = 0;
      while (next < stop && read.size() < most && bytes < READ_BYTES) {
        if (!found.isValid() || position(found.key()) != next) {
          found.status();
          long first = begin;
          if (first <= next) {
            throw new EventLogException("event %d is missing".formatted(next), null);
          }
          next = first; // It was trimmed meanwhile.
          found.seek(key(next));
        } else {
          long position = next++;
          ByteBuffer value =
              Objects.requireNonNull(room.read(to -> found.value(ByteBuffer.wrap(to))));
          read.add(EventCodec.decode(position, value, () -> whole(position)));
          bytes += value.limit();
          found.next();
        }
      }
      found.status();
    }
    return read;
  }

  @Override
  public @Nullable ScoredRequest scored(long position) {
    synchronized (room) {
      ByteBuffer value =
          ask(
              "reading event %d".formatted(position),
              () -> room.read(to -> db.get(events, key(position), to)));
      if (position < begin) {
        return null;
      }
      if (value == null || position >= end) {
        throw new EventLogException("there is no event %d".formatted(position), null);
      }
      return EventCodec.scored(position, value);
    }
  }

  /** One that was there when it was read first. */
  private ScoredRequest whole(long position) {
    ScoredRequest request = scored(position);
    if (request == null) {
      throw new EventLogException("event %d is trimmed".formatted(position), null);
    }
    return request;
  }

  /** No event is empty. */
  private static byte[] present(byte @Nullable [] value) {
    return value == null ? new byte[0] : value;
  }

  @Override
  public Optional<Place> find(PredictionId id) {
    byte[] value =
        ask("looking up a prediction", () -> present(db.get(predictions, RocksEventPlace.key(id))));
    if (value.length == 0 || id.madeMs() < madeMs) {
      return Optional.empty();
    }
    RocksEventPlace place = RocksEventPlace.of(value);
    return place.position() < begin || place.position() >= end
        ? Optional.empty()
        : Optional.of(new Place(place.position(), place.model(), place.candidates()));
  }

  @Override
  public synchronized void trim(long position, long before) {
    long first = Math.max(begin, Math.min(position, end));
    long made = Math.max(madeMs, before);
    if (first == begin && made == madeMs) {
      return;
    }
    // On stable storage before a file goes: the next start must not miss what was in it.
    write("trimming", batch -> batch.put(marks, BEGIN, mark(first, made)));
    madeMs = made;
    begin = first;
    int _ =
        ask(
            "removing old files",
            () -> {
              dropFiles();
              return 0;
            });
  }

  /** Removes files all of which is forgotten. */
  private void dropFiles() throws RocksDBException {
    db.deleteFilesInRanges(events, List.of(key(0), key(begin)), false);
    byte[] made = RocksEventPlace.firstKey(madeMs);
    db.deleteFilesInRanges(predictions, List.of(RocksEventPlace.firstKey(0), made), false);
  }

  /** What RocksDB counts. Open to the package, so that a test can see what was synced. */
  String statistics() {
    return ask("reading statistics", () -> db.getProperty("rocksdb.dbstats"));
  }

  @Override
  public long bytes() {
    File[] files = directory.toFile().listFiles();
    long bytes = 0;
    for (File file : files == null ? new File[0] : files) {
      bytes += file.length(); // 0 where it has gone meanwhile.
    }
    return bytes;
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        families.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
