package dev.wukong.serving.embedding;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * The column families of a RocksDB that each hold the rows of one import, which never change after
 * it: so another bundle may share them, and they go in an instant, without a compaction. Their keys
 * are row keys, big-endian. Any thread.
 */
final class RocksLayers {
  private static final String PREFIX = "layer-";

  /** Such as {@code layer-000000000012}: the order of names is that of their making. */
  private static final String NAME = PREFIX + "%012d";

  private final RocksDB db;
  private final ColumnFamilyOptions options;
  private final RocksMarks marks;

  /** By name. Guarded by this. */
  private final TreeMap<String, ColumnFamilyHandle> open;

  /**
   * Those that are in {@code db}.
   *
   * @param open by name; this object closes them
   */
  RocksLayers(
      RocksDB db,
      ColumnFamilyOptions options,
      RocksMarks marks,
      Map<String, ColumnFamilyHandle> open) {
    this.db = db;
    this.options = options;
    this.marks = marks;
    this.open = new TreeMap<>(open);
  }

  /** Whether a column family of this name is one of an import. */
  static boolean isLayer(String family) {
    return family.startsWith(PREFIX);
  }

  /** The one of this name, which a mark refers to. */
  synchronized ColumnFamilyHandle of(String name) {
    ColumnFamilyHandle layer = open.get(name);
    if (layer == null) {
      throw new StoreException("the store has no column family '%s'".formatted(name), null);
    }
    return layer;
  }

  /**
   * Makes an empty one for the rows of a bundle that has none yet, and remembers it as the
   * bundle's. What is left of one that was not remembered goes with {@link #dropUnused}.
   *
   * @param sample of the rows that will come
   */
  synchronized RocksSpaces begin(RowsView view, RocksSample sample) throws RocksDBException {
    Set<String> roots = new HashSet<>();
    for (Map.Entry<RowsView, RocksSpaces> other : marks.allSpaces().entrySet()) {
      if (other.getKey().model().equals(view.model())
          && marks.imported(other.getKey()).isPresent()) {
        roots.add(other.getValue().root());
      }
    }
    long next = open.isEmpty() ? 1 : Long.parseLong(open.lastKey().substring(PREFIX.length())) + 1;
    String own = NAME.formatted(next);
    open.put(
        own,
        db.createColumnFamily(
            new ColumnFamilyDescriptor(own.getBytes(StandardCharsets.US_ASCII), options)));
    RocksSpaces spaces = new RocksSpaces(own, sample.base(roots, this));
    marks.begin(view, spaces);
    return spaces;
  }

  /** Removes those that no bundle refers to, and gives their space back. */
  synchronized void dropUnused() throws RocksDBException {
    Set<String> used = new HashSet<>();
    for (RocksSpaces spaces : marks.allSpaces().values()) {
      used.add(spaces.own());
      spaces.base().ifPresent(used::add);
    }
    for (String name : List.copyOf(open.keySet())) {
      if (!used.contains(name)) {
        ColumnFamilyHandle layer = of(name);
        db.dropColumnFamily(layer);
        open.remove(name);
        layer.close(); // Its files go with the last that holds it.
      }
    }
  }

  /** Called before the database closes. */
  synchronized void close() {
    new ArrayList<>(open.values()).forEach(ColumnFamilyHandle::close);
    open.clear();
  }
}
