package dev.wukong.serving.embedding;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;

/**
 * A column family that has rows of a bundle. Of several the first that has a value for a row
 * counts: an empty value says that there is no such row.
 *
 * @param bundle makes keys where rows of other bundles lie there too; null: only those of one do
 */
record RocksSource(ColumnFamilyHandle family, @Nullable StoreKeys bundle) {
  /** The value of a row that those below may have, and this bundle has not. */
  static final byte[] REMOVED = new byte[0];

  /**
   * Where the rows of a bundle are, those that count first.
   *
   * @param commits has what has changed since the bundle was imported
   */
  static List<RocksSource> of(
      RowsView view, RocksMarks marks, RocksLayers layers, ColumnFamilyHandle commits)
      throws RocksDBException {
    Optional<RocksSpaces> spaces = marks.spaces(view);
    List<RocksSource> sources = new ArrayList<>();
    if (spaces.isEmpty() || marks.changed(view)) {
      sources.add(new RocksSource(commits, new StoreKeys(view)));
    }
    spaces.ifPresent(names -> sources.add(new RocksSource(layers.of(names.own()), null)));
    // While rows are still on their way, one that is not there may yet come as another.
    if (spaces.isPresent() && marks.imported(view).isPresent()) {
      spaces.get().base().ifPresent(base -> sources.add(new RocksSource(layers.of(base), null)));
    }
    return sources;
  }

  static boolean isRemoved(byte[] value) {
    return value.length == 0;
  }

  /** The key of a row here. */
  byte[] key(long rowKey) {
    return bundle == null ? StoreKeys.layer(rowKey) : bundle.row(rowKey);
  }

  /** The least key here above all rows of the bundle; null: there are none of another one. */
  byte @Nullable [] end() {
    return bundle == null ? null : bundle.bundleEnd();
  }
}
