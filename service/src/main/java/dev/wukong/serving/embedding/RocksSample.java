package dev.wukong.serving.embedding;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * Tells from a sample which rows that are there a new bundle should share.
 *
 * @param format in which the bundle's rows will be kept: others are other bytes
 */
record RocksSample(RocksDB db, RowFormat format, RowSample sample) {
  /**
   * A bundle shares rows from this part of the sample on. What it shares stays while it does, after
   * the bundle that they came from has gone: so three bundles of a model take at most two and a
   * half times the rows of one, where three that share nothing take three times.
   */
  private static final double LEAST = 0.5;

  /** The one of {@code roots} that has most of the sample's rows, if it has enough of them. */
  Optional<String> base(Set<String> roots, RocksLayers layers) throws RocksDBException {
    if (roots.isEmpty()) {
      return Optional.empty();
    }
    List<RowSample.Rows> parts = sample.rows();
    int all = parts.stream().mapToInt(part -> part.keys().length).sum();
    Optional<String> best = Optional.empty();
    int most = Math.max(1, (int) Math.ceil(LEAST * all));
    // In one order: of two with as many the newer.
    for (String root : roots.stream().sorted().toList()) {
      int same = 0;
      for (RowSample.Rows part : parts) {
        same += same(layers.of(root), part);
      }
      if (same >= most) {
        most = same;
        best = Optional.of(root);
      }
    }
    return best;
  }

  /** How many rows of {@code part} are there as they are. */
  private int same(ColumnFamilyHandle layer, RowSample.Rows part) throws RocksDBException {
    RocksValue value = new RocksValue(format, part.width(), 0);
    List<byte[]> keys = new ArrayList<>();
    for (long key : part.keys()) {
      keys.add(StoreKeys.layer(key));
    }
    if (keys.isEmpty()) {
      return 0;
    }
    int same = 0;
    // Nobody asks for these rows; those that are asked for must stay.
    try (ReadOptions once = new ReadOptions().setFillCache(false)) {
      List<byte[]> there = db.multiGetAsList(once, Collections.nCopies(keys.size(), layer), keys);
      for (int i = 0; i < keys.size(); i++) {
        if (Arrays.equals(there.get(i), value.of(part.rows(), i * part.width()))) {
          same++;
        }
      }
    }
    return same;
  }
}
