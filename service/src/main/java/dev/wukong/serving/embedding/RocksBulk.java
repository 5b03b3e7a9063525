package dev.wukong.serving.embedding;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.EnvOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileWriter;

/**
 * Writes rows as files of their own that RocksDB then takes over as they are: they never pass its
 * log, its memory or a compaction. After each file the store notes how far it has come. Rows that
 * another bundle has as they are stay there alone.
 */
final class RocksBulk implements BulkRows {
  /** Rows between two looks at how large the file has become. */
  private static final int LOOK = 1024;

  private final RocksPlace place;
  private final RowsView view;
  private final String digest;
  private final long after;
  private final ColumnFamilyHandle layer;
  private final @Nullable RocksBase base;
  private final EnvOptions environment = new EnvOptions();
  private @Nullable SstFileWriter file;
  private int inFile;
  private long last;
  private long shared;

  /** Goes on after the row with the key {@code after}. */
  RocksBulk(RocksPlace place, RowsView view, RocksSpaces spaces, String digest, long after) {
    this.place = place;
    this.view = view;
    this.digest = digest;
    this.after = after;
    this.last = after;
    this.layer = place.layers().of(spaces.own());
    this.base =
        spaces
            .base()
            .map(place.layers()::of)
            .map(family -> new RocksBase(place.db(), family, after, this::remove))
            .orElse(null);
  }

  @Override
  public long after() {
    return after;
  }

  @Override
  public void add(int width, long[] added, int count, float[] values) {
    RocksValue value = new RocksValue(place.format(), width, view.version());
    try {
      for (int i = 0; i < count; i++) {
        if (added[i] > after) {
          byte[] row = value.of(values, i * width);
          if (base != null && base.has(added[i], row)) {
            shared++;
            last = Math.max(last, added[i]);
          } else {
            put(added[i], row);
          }
        }
      }
    } catch (RocksDBException e) {
      throw failed(e);
    }
  }

  /** A row that the other bundle has, and this one has not. */
  private void remove(long key) throws RocksDBException {
    put(key, RocksSource.REMOVED);
  }

  private void put(long key, byte[] value) throws RocksDBException {
    SstFileWriter writer = file == null ? open() : file;
    writer.put(StoreKeys.layer(key), value);
    last = key;
    inFile++;
    if (inFile % LOOK == 0 && writer.fileSize() >= place.fileBytes()) {
      ingest();
    }
  }

  @Override
  public long shared() {
    return shared;
  }

  @Override
  public void finish() {
    try {
      if (base != null) {
        base.end();
      }
      ingest();
      place.marks().complete(view, digest);
    } catch (RocksDBException e) {
      throw failed(e);
    }
  }

  private StoreException failed(RocksDBException e) {
    return new StoreException(
        "writing the rows of model '%s' version %d failed: %s"
            .formatted(view.model(), view.bundle(), e.getMessage()),
        e);
  }

  private SstFileWriter open() throws RocksDBException {
    SstFileWriter writer = new SstFileWriter(environment, place.options());
    file = writer;
    inFile = 0;
    deleteLeftover();
    writer.open(path().toString());
    return writer;
  }

  /** One bundle comes in at a time, by the thread that loads. */
  private Path path() {
    return place.folder().resolve("rows.sst");
  }

  private void ingest() throws RocksDBException {
    SstFileWriter writer = file;
    if (writer == null) {
      return;
    }
    writer.finish();
    writer.close();
    file = null;
    try (IngestExternalFileOptions moved = new IngestExternalFileOptions().setMoveFiles(true)) {
      place.db().ingestExternalFile(layer, List.of(path().toString()), moved);
    }
    // A process that ends before this writes the file's rows again, which are the same.
    place.marks().partly(view, digest, last);
  }

  @Override
  public void close() {
    if (file != null) {
      file.close();
      file = null;
    }
    if (base != null) {
      base.close();
    }
    environment.close();
    deleteLeftover();
  }

  /**
   * Deletes the file of a load that was cut short. After the end of a process that may be a second
   * name of a file that RocksDB has taken over: to write to it would destroy that one, whereas
   * deleting takes the name alone.
   */
  private void deleteLeftover() {
    try {
      Files.deleteIfExists(path());
    } catch (IOException e) {
      throw new StoreException("cannot delete %s: %s".formatted(path(), e.getMessage()), e);
    }
  }
}
