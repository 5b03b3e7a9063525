package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * What a RocksDB remembers of each bundle: how far its rows have come, where they are, and the
 * version of its last changes. Any thread.
 */
record RocksMarks(RocksDB db, ColumnFamilyHandle imports, WriteOptions durable) {
  /** After the bundle, which is the key of its mark: so all goes with that. */
  private static final char VERSION = 'v';

  private static final char SPACES = 's';

  /** The digest that all rows of a bundle are from, if they are there. */
  Optional<String> imported(RowsView view) throws RocksDBException {
    return mark(view).flatMap(ImportMark::complete);
  }

  /** Up to which key rows from {@code digest} are there, if not all; else NOTHING. */
  long after(RowsView view, String digest) throws RocksDBException {
    Optional<ImportMark> mark = mark(view);
    return mark.isEmpty() ? BulkRows.NOTHING : mark.get().after(digest).orElse(BulkRows.NOTHING);
  }

  /** Remembers that all rows are there. */
  void complete(RowsView view, String digest) throws RocksDBException {
    put(view, ImportMark.complete(digest));
  }

  /** Remembers that rows up to {@code key} are there. */
  void partly(RowsView view, String digest, long key) throws RocksDBException {
    put(view, ImportMark.partly(digest, key));
  }

  /** Remembers where rows are that come from now on. */
  void begin(RowsView view, RocksSpaces spaces) throws RocksDBException {
    db.put(imports, durable, key(view, SPACES), spaces.bytes());
  }

  /** Where the bundle's rows as imported are; empty where it has none, or an older build's. */
  Optional<RocksSpaces> spaces(RowsView view) throws RocksDBException {
    return Optional.ofNullable(db.get(imports, key(view, SPACES))).map(RocksSpaces::of);
  }

  /** Where the rows of every bundle are that has some of its own. */
  Map<RowsView, RocksSpaces> allSpaces() throws RocksDBException {
    Map<RowsView, RocksSpaces> all = new HashMap<>();
    try (RocksIterator next = db.newIterator(imports)) {
      for (next.seekToFirst(); next.isValid(); next.next()) {
        RowsView view = StoreKeys.view(next.key());
        if (Arrays.equals(next.key(), key(view, SPACES))) {
          all.put(view, RocksSpaces.of(next.value()));
        }
      }
      next.status();
    }
    return all;
  }

  /** The version of the changes written last; 0: none were. */
  long version(RowsView view) throws RocksDBException {
    byte[] version = db.get(imports, key(view, VERSION));
    return version == null ? 0 : ByteBuffer.wrap(version).getLong();
  }

  /** Whether there have been changes. */
  boolean changed(RowsView view) throws RocksDBException {
    return db.get(imports, key(view, VERSION)) != null;
  }

  /** Has {@code batch} remember that the changes of {@code view} are there. */
  void version(WriteBatch batch, RowsView view) throws RocksDBException {
    batch.put(
        imports,
        key(view, VERSION),
        ByteBuffer.allocate(Long.BYTES).putLong(view.version()).array());
  }

  private static byte[] key(RowsView view, char what) {
    byte[] prefix = new StoreKeys(view).bundlePrefix();
    byte[] key = Arrays.copyOf(prefix, prefix.length + 1);
    key[prefix.length] = (byte) what;
    return key;
  }

  private Optional<ImportMark> mark(RowsView view) throws RocksDBException {
    byte[] mark = db.get(imports, new StoreKeys(view).bundlePrefix());
    return Optional.ofNullable(mark)
        .map(text -> new ImportMark(new String(text, StandardCharsets.UTF_8)));
  }

  private void put(RowsView view, ImportMark mark) throws RocksDBException {
    db.put(
        imports,
        durable,
        new StoreKeys(view).bundlePrefix(),
        mark.text().getBytes(StandardCharsets.UTF_8));
  }
}
