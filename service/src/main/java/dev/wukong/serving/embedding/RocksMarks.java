package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** What a RocksDB remembers of how far each bundle's rows have come. Any thread. */
record RocksMarks(RocksDB db, ColumnFamilyHandle imports, WriteOptions durable) {
  /** Before the key up to which rows are there, in place of a bundle's digest. */
  private static final String PARTLY = "up to ";

  /** The digest that all rows of a bundle are from, if they are there. */
  Optional<String> imported(RowsView view) throws RocksDBException {
    return Optional.ofNullable(mark(view)).filter(mark -> !mark.startsWith(PARTLY));
  }

  /** Up to which key rows from {@code digest} are there, if not all; else NOTHING. */
  long after(RowsView view, String digest) throws RocksDBException {
    String mark = mark(view);
    if (mark == null || !mark.startsWith(PARTLY) || !mark.endsWith(" of " + digest)) {
      return BulkRows.NOTHING;
    }
    return Long.parseLong(
        mark.substring(PARTLY.length(), mark.length() - digest.length() - " of ".length()));
  }

  /** Remembers that all rows are there. */
  void complete(RowsView view, String digest) throws RocksDBException {
    put(view, digest);
  }

  /** Remembers that rows up to {@code key} are there. */
  void partly(RowsView view, String digest, long key) throws RocksDBException {
    put(view, "%s%d of %s".formatted(PARTLY, key, digest));
  }

  /** The version of the changes written last; 0: none were. */
  long version(RowsView view) throws RocksDBException {
    byte[] version = db.get(imports, versionKey(view));
    return version == null ? 0 : ByteBuffer.wrap(version).getLong();
  }

  /** Has {@code batch} remember that the changes of {@code view} are there. */
  void version(WriteBatch batch, RowsView view) throws RocksDBException {
    batch.put(
        imports, versionKey(view), ByteBuffer.allocate(Long.BYTES).putLong(view.version()).array());
  }

  /** Beside the bundle's mark, and gone with it. */
  private static byte[] versionKey(RowsView view) {
    byte[] prefix = new StoreKeys(view).bundlePrefix();
    byte[] key = Arrays.copyOf(prefix, prefix.length + 1);
    key[prefix.length] = 'v';
    return key;
  }

  private @Nullable String mark(RowsView view) throws RocksDBException {
    byte[] mark = db.get(imports, new StoreKeys(view).bundlePrefix());
    return mark == null ? null : new String(mark, StandardCharsets.UTF_8);
  }

  private void put(RowsView view, String text) throws RocksDBException {
    db.put(
        imports,
        durable,
        new StoreKeys(view).bundlePrefix(),
        text.getBytes(StandardCharsets.UTF_8));
  }
}
