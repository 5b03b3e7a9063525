package dev.wukong.serving.embedding;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.EnvOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileWriter;
import org.rocksdb.WriteOptions;

/**
 * Writes rows as files of their own that RocksDB then takes over as they are: they never pass its
 * log, its memory or a compaction. After each file the store notes how far it has come.
 */
final class RocksBulk implements BulkRows {
  /** Before the key up to which rows are there, in place of a bundle's digest. */
  private static final String PARTLY = "up to ";

  /** Rows between two looks at how large the file has become. */
  private static final int LOOK = 1024;

  private final RocksDB db;
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle imports;
  private final WriteOptions durable;
  private final Options options;
  private final Path folder;
  private final long fileBytes;
  private final RowsView view;
  private final StoreKeys keys;
  private final String digest;
  private final long after;
  private final EnvOptions environment = new EnvOptions();
  private @Nullable SstFileWriter file;
  private int inFile;
  private long last;

  /** Goes on after the row with the key {@code after}. */
  RocksBulk(RocksPlace place, RowsView view, String digest, long after) {
    this.db = place.db();
    this.rows = place.rows();
    this.imports = place.imports();
    this.durable = place.durable();
    this.options = place.options();
    this.folder = place.folder();
    this.fileBytes = place.fileBytes();
    this.view = view;
    this.keys = new StoreKeys(view);
    this.digest = digest;
    this.after = after;
    this.last = after;
  }

  /** The digest that a mark says all rows are from; null if it says how far they have come. */
  static @Nullable String complete(String mark) {
    return mark.startsWith(PARTLY) ? null : mark;
  }

  /** How far rows from {@code digest} have come by a mark. */
  static long after(@Nullable String mark, String digest) {
    if (mark == null || !mark.startsWith(PARTLY) || !mark.endsWith(" of " + digest)) {
      return NOTHING;
    }
    return Long.parseLong(
        mark.substring(PARTLY.length(), mark.length() - digest.length() - " of ".length()));
  }

  @Override
  public long after() {
    return after;
  }

  @Override
  public void add(int width, long[] added, int count, float[] values) {
    ByteBuffer value =
        ByteBuffer.allocate(RocksRowStore.HEADER + width * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(0, view.version());
    try {
      for (int i = 0; i < count; i++) {
        if (added[i] > after) {
          value.position(RocksRowStore.HEADER).asFloatBuffer().put(values, i * width, width);
          SstFileWriter writer = file == null ? open() : file;
          writer.put(keys.row(added[i]), value.array());
          last = added[i];
          inFile++;
          if (inFile % LOOK == 0 && writer.fileSize() >= fileBytes) {
            ingest();
          }
        }
      }
    } catch (RocksDBException e) {
      throw failed(e);
    }
  }

  @Override
  public void finish() {
    try {
      ingest();
      mark(digest);
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
    SstFileWriter writer = new SstFileWriter(environment, options);
    file = writer;
    inFile = 0;
    writer.open(path().toString());
    return writer;
  }

  /** One bundle comes in at a time, by the thread that loads. */
  private Path path() {
    return folder.resolve("rows.sst");
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
      db.ingestExternalFile(rows, List.of(path().toString()), moved);
    }
    // A process that ends before this writes the file's rows again, which are the same.
    mark("%s%d of %s".formatted(PARTLY, last, digest));
  }

  private void mark(String text) throws RocksDBException {
    db.put(imports, durable, keys.bundlePrefix(), text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    if (file != null) {
      file.close();
      file = null;
    }
    environment.close();
    try {
      Files.deleteIfExists(path());
    } catch (IOException e) {
      // It is written over by the next one.
      System.getLogger(RocksBulk.class.getName())
          .log(System.Logger.Level.WARNING, "cannot delete {0}: {1}", path(), e.getMessage());
    }
  }
}
