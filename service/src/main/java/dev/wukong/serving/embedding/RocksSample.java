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
  /*
   * What a bundle shares stays as a whole for as long as it does, also after the bundle that it
   * came from has gone, and with it rows that nobody needs. So at least half of the new bundle,
   * and of the other one, must be the same. Then three bundles of a line in which each follows the
   * one before take no more than three that share nothing: at worst the two halves of two over one
   * that has gone, and a third that is too far from that.
   */
  private static final double LEAST = 0.5;

  private static final String ROWS = "rocksdb.estimate-num-keys";

  /** How much of the sample some rows are. */
  private record Share(long rows, long bytes) {
    Share plus(Share other) {
      return new Share(rows + other.rows, bytes + other.bytes);
    }
  }

  /** The one of {@code roots} that has most of the sample's bytes, if it has enough of them. */
  Optional<String> base(Set<String> roots, RocksLayers layers) throws RocksDBException {
    if (roots.isEmpty()) {
      return Optional.empty();
    }
    List<RowSample.Rows> parts = sample.rows().get();
    Share all = new Share(0, 0);
    for (RowSample.Rows part : parts) {
      all = all.plus(share(part, part.keys().length));
    }
    Optional<String> best = Optional.empty();
    long most = Math.max(1, (long) Math.ceil(LEAST * all.bytes()));
    // In one order: of two with as many the newer.
    for (String root : roots.stream().sorted().toList()) {
      ColumnFamilyHandle layer = layers.of(root);
      Share same = same(layer, parts);
      double used = (double) same.rows() / Math.max(1, all.rows()) * sample.all();
      // Nothing is ever deleted or written twice there, so that the estimate is exact.
      if (same.bytes() >= most && used >= LEAST * db.getLongProperty(layer, ROWS)) {
        most = same.bytes();
        best = Optional.of(root);
      }
    }
    return best;
  }

  private Share share(RowSample.Rows part, int rows) {
    return new Share(rows, (long) rows * format.bytes(part.width()));
  }

  /** What is there as it is. */
  private Share same(ColumnFamilyHandle layer, List<RowSample.Rows> parts) throws RocksDBException {
    Share same = new Share(0, 0);
    for (RowSample.Rows part : parts) {
      same = same.plus(share(part, same(layer, part)));
    }
    return same;
  }

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
