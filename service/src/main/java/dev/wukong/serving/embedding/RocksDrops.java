package dev.wukong.serving.embedding;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.CompactRangeOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** Finds the bundles that have something in a RocksDB, and removes one from it. Any thread. */
final class RocksDrops {
  /*
   * Rows as imported are in a column family of their own, which goes as a whole once no mark
   * refers to it. Those of commits, and state, lie with those of other bundles: deleting a range
   * hides them at once, but their bytes stay until a compaction happens to meet them.
   *
   * So a drop has two steps: the rows of commits and the mark go, and a note of the drop comes, in
   * one durable write; then the column family goes, unless another bundle shares its rows, files
   * that hold nothing else are deleted, those that hold neighbours too are rewritten without the
   * rows, and the note goes. A process that ends in between finds the note at its next start, and
   * does the second step again.
   *
   * The deletion must come before the files go: a file may hold the deletion of rows that lie in
   * another one.
   */
  private final RocksDB db;
  private final WriteOptions durable;
  private final ColumnFamilyHandle notes;
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle imports;
  private final ColumnFamilyHandle states;
  private final RocksLayers layers;

  RocksDrops(
      RocksDB db,
      WriteOptions durable,
      ColumnFamilyHandle notes,
      ColumnFamilyHandle rows,
      ColumnFamilyHandle imports,
      ColumnFamilyHandle states,
      RocksLayers layers) {
    this.db = db;
    this.durable = durable;
    this.notes = notes;
    this.rows = rows;
    this.imports = imports;
    this.states = states;
    this.layers = layers;
  }

  /** Adds every bundle that has rows, a mark or an unfinished drop. */
  void stored(Set<RowsView> views) throws RocksDBException {
    for (ColumnFamilyHandle family : List.of(rows, imports, states, notes)) {
      try (RocksIterator keys = db.newIterator(family)) {
        for (keys.seekToFirst(); keys.isValid(); ) {
          RowsView view = StoreKeys.view(keys.key());
          if (view.bundle() > 0) { // Not what all of a model's bundles share: it has no rows.
            views.add(view);
          }
          keys.seek(new StoreKeys(view).bundleEnd());
        }
        keys.status();
      }
    }
  }

  /** Whether the bundle has rows, a mark or an unfinished drop. */
  boolean has(StoreKeys keys) throws RocksDBException {
    for (ColumnFamilyHandle family : List.of(notes, imports, states, rows)) {
      try (RocksIterator found = db.newIterator(family)) {
        found.seek(keys.bundlePrefix());
        boolean any = found.isValid() && keys.owns(found.key());
        found.status();
        if (any) {
          return true;
        }
      }
    }
    return false;
  }

  /** The first step: from here on who looks for the bundle finds nothing. */
  void hide(StoreKeys keys) throws RocksDBException {
    try (WriteBatch batch = new WriteBatch()) {
      batch.put(notes, keys.bundlePrefix(), new byte[0]);
      batch.deleteRange(imports, keys.bundlePrefix(), keys.bundleEnd());
      batch.deleteRange(states, keys.bundlePrefix(), keys.bundleEnd());
      batch.deleteRange(rows, keys.bundlePrefix(), keys.bundleEnd());
      db.write(durable, batch);
    }
  }

  /** The second step; nobody may read the bundle any more. */
  void reclaim(StoreKeys keys) throws RocksDBException {
    layers.dropUnused();
    try (CompactRangeOptions options =
            new CompactRangeOptions().setExclusiveManualCompaction(false);
        FlushOptions wait = new FlushOptions().setWaitForFlush(true)) {
      for (ColumnFamilyHandle family : List.of(states, rows)) {
        db.deleteFilesInRanges(family, List.of(keys.bundlePrefix(), keys.bundleEnd()), false);
        db.compactRange(family, keys.bundlePrefix(), keys.bundleEnd(), options);
      }
      // The log of writes is kept while any family has a part of it in memory only.
      db.flush(wait, new ArrayList<>(List.of(notes, rows, imports, states)));
    }
    db.delete(notes, durable, keys.bundlePrefix());
  }
}
