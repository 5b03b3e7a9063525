package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** What a RocksDB remembers of how far each bundle's rows have come. Any thread. */
record RocksMarks(RocksDB db, ColumnFamilyHandle imports, WriteOptions durable) {
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
