package dev.wukong.serving.embedding;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.IndexType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Rows and training's state in one RocksDB for all models; see {@link StoreKeys}, {@link
 * RocksValue} and {@link RocksStates}.
 */
public final class RocksRowStore implements StateStore {
  private static final byte[] ROWS = "rows".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] STATES = "states".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] IMPORTS = "imports".getBytes(StandardCharsets.US_ASCII);

  /** Below the store's folder: files of rows on their way in. */
  private static final String BULK = "bulk";

  /** Of a file of rows, and of the rows in memory before they become one. */
  private static final long FILE_BYTES = 64L << 20;

  /** Of what a store keeps of its files where nobody says otherwise. */
  private static final long CACHE_BYTES = 64L << 20;

  private static final double HIGH_PRIORITY_SHARE = 0.5;

  private final BloomFilter filter = new BloomFilter(10);
  private final Cache cache;
  private final ColumnFamilyOptions rowOptions = new ColumnFamilyOptions();
  private final ColumnFamilyOptions plainOptions = new ColumnFamilyOptions();
  private final DBOptions options =
      new DBOptions().setCreateIfMissing(true).setCreateMissingColumnFamilies(true);
  private final WriteOptions durable = new WriteOptions().setSync(true);
  private final List<ColumnFamilyHandle> families = new ArrayList<>();
  private final RocksDB db;
  private final ColumnFamilyHandle rows;
  private final RocksMarks marks;
  private final RocksStates states;
  private final RowFormat format;
  private final Options bulkOptions;
  private final RocksPlace bulk;

  /** Those that are open. Guarded by itself. */
  private final Set<RocksReader> readers = new HashSet<>();

  /** Guarded by {@link #readers}. */
  private boolean closed;

  /** Open to the package, so that a test can cut a drop short. */
  final RocksDrops drops;

  private RocksRowStore(Path directory, RowFormat format, long cacheBytes, long fileBytes)
      throws RocksDBException {
    this.format = format;
    cache = new LRUCache(cacheBytes, -1, false, HIGH_PRIORITY_SHARE);
    rowOptions.setTableFormatConfig(files());
    rowOptions.setWriteBufferSize(fileBytes).setTargetFileSizeBase(fileBytes);
    List<ColumnFamilyDescriptor> descriptors =
        List.of(
            new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, plainOptions),
            new ColumnFamilyDescriptor(ROWS, rowOptions),
            new ColumnFamilyDescriptor(IMPORTS, plainOptions),
            new ColumnFamilyDescriptor(STATES, rowOptions));
    db = RocksDB.open(options, directory.toString(), descriptors, families);
    rows = families.get(1);
    ColumnFamilyHandle imports = families.get(2);
    marks = new RocksMarks(db, imports, durable);
    ColumnFamilyHandle stateFamily = families.get(3);
    states = new RocksStates(db, stateFamily);
    bulkOptions = new Options(options, rowOptions);
    Path folder = directory.resolve(BULK);
    bulk = new RocksPlace(db, rows, marks, bulkOptions, folder, format, fileBytes);
    drops = new RocksDrops(db, durable, families.get(0), rows, imports, stateFamily);
  }

  /**
   * Indexes and filters of files grow with the table, so they lie in the cache like rows, in parts:
   * else they would take memory beside it that nothing bounds.
   */
  private BlockBasedTableConfig files() {
    return new BlockBasedTableConfig()
        .setBlockCache(cache)
        .setFilterPolicy(filter)
        .setIndexType(IndexType.kTwoLevelIndexSearch)
        .setPartitionFilters(true)
        .setCacheIndexAndFilterBlocks(true)
        .setCacheIndexAndFilterBlocksWithHighPriority(true)
        .setPinTopLevelIndexAndFilter(true);
  }

  /** The same as {@link #open(Path, RowFormat, long)} with a small cache. */
  public static RocksRowStore open(Path directory) {
    return open(directory, RowFormat.FP32, CACHE_BYTES);
  }

  /**
   * Opens or creates the store in {@code directory}, which one process may have open at a time.
   *
   * @param format in which rows are kept; those that are there may be in others
   * @param cacheBytes memory for parts of its files: indexes, filters and rows
   * @throws StoreException if the directory cannot be made or opened
   */
  public static RocksRowStore open(Path directory, RowFormat format, long cacheBytes) {
    return open(directory, format, cacheBytes, FILE_BYTES);
  }

  /** The same with files of rows of some {@code fileBytes} each. */
  static RocksRowStore open(Path directory, RowFormat format, long cacheBytes, long fileBytes) {
    RocksDB.loadLibrary();
    try {
      Files.createDirectories(directory.resolve(BULK));
      return new RocksRowStore(directory, format, cacheBytes, fileBytes);
    } catch (IOException | RocksDBException e) {
      throw new StoreException(
          "cannot open the row store in %s: %s".formatted(directory, e.getMessage()), e);
    }
  }

  @Override
  public boolean durable() {
    return true;
  }

  @Override
  public RowReader reader(RowsView view) {
    synchronized (readers) {
      if (closed) {
        throw new StoreException("the row store is closed", null);
      }
      RocksReader reader = new RocksReader(db, rows, view, this::forget);
      readers.add(reader);
      return reader;
    }
  }

  private void forget(RocksReader reader) {
    synchronized (readers) {
      readers.remove(reader);
    }
  }

  @Override
  public long version(RowsView view) {
    try {
      return marks.version(view);
    } catch (RocksDBException e) {
      throw new StoreException(
          "reading the version of %s failed: %s".formatted(view, e.getMessage()), e);
    }
  }

  @Override
  public void apply(RowCommit commit, List<StateChange> state) {
    StoreKeys storeKeys = new StoreKeys(commit.view());
    long version = commit.view().version();
    try (WriteBatch batch = new WriteBatch()) {
      for (RowCommit.Changes changes : commit.changes()) {
        int width = changes.width();
        RocksValue value = new RocksValue(format, width, version);
        for (int i = 0; i < changes.keys().length; i++) {
          batch.put(rows, storeKeys.row(changes.keys()[i]), value.of(changes.rows(), i * width));
        }
        for (long key : changes.removed()) {
          batch.delete(rows, storeKeys.row(key));
        }
      }
      states.add(batch, commit.view(), state);
      marks.version(batch, commit.view());
      db.write(durable, batch);
    } catch (RocksDBException e) {
      throw new StoreException(
          "writing %d rows failed: %s".formatted(commit.size(), e.getMessage()), e);
    }
  }

  @Override
  public List<byte @Nullable []> state(RowsView view, StateKind kind, long[] keys) {
    try {
      return states.read(view, kind, keys);
    } catch (RocksDBException e) {
      throw unreadState(view, kind, e);
    }
  }

  @Override
  public void forEachState(RowsView view, StateKind kind, StateReceiver receiver) {
    try {
      states.forEach(view, kind, receiver);
    } catch (RocksDBException e) {
      throw unreadState(view, kind, e);
    }
  }

  private static StoreException unreadState(RowsView view, StateKind kind, RocksDBException e) {
    return new StoreException(
        "reading the state (%s) of model '%s' version %d failed: %s"
            .formatted(kind, view.model(), view.bundle(), e.getMessage()),
        e);
  }

  @Override
  public long[] rowKeys(RowsView view, long after, int most) {
    try {
      return rowsAfter(new StoreKeys(view), after, most);
    } catch (RocksDBException e) {
      throw new StoreException(
          "listing the rows of %s failed: %s".formatted(view, e.getMessage()), e);
    }
  }

  private long[] rowsAfter(StoreKeys keys, long after, int most) throws RocksDBException {
    long[] found = new long[most];
    int count = 0;
    // Whoever goes through all rows must not push out those that are asked for.
    try (Slice end = new Slice(keys.bundleEnd());
        ReadOptions once = new ReadOptions().setIterateUpperBound(end).setFillCache(false);
        RocksIterator next = db.newIterator(rows, once)) {
      next.seek(after < 0 ? keys.bundlePrefix() : keys.row(after + 1));
      for (; next.isValid() && count < most; next.next()) {
        found[count++] = StoreKeys.rowKey(next.key());
      }
      next.status();
    }
    return Arrays.copyOf(found, count);
  }

  @Override
  public BulkRows bulk(RowsView view, String digest) {
    long after;
    try {
      after = marks.after(view, digest);
    } catch (RocksDBException e) {
      throw new StoreException(
          "reading the mark of %s failed: %s".formatted(view, e.getMessage()), e);
    }
    if (after == BulkRows.NOTHING) {
      drop(view);
    }
    return new RocksBulk(bulk, view, digest, after);
  }

  @Override
  public void markImported(RowsView view, String digest) {
    try {
      marks.complete(view, digest);
    } catch (RocksDBException e) {
      throw new StoreException(
          "marking %s as imported failed: %s".formatted(view, e.getMessage()), e);
    }
  }

  @Override
  public Optional<String> imported(RowsView view) {
    try {
      return marks.imported(view);
    } catch (RocksDBException e) {
      throw new StoreException(
          "reading the mark of %s failed: %s".formatted(view, e.getMessage()), e);
    }
  }

  @Override
  public Set<RowsView> stored() {
    Set<RowsView> views = new HashSet<>();
    try {
      drops.stored(views);
    } catch (RocksDBException e) {
      throw new StoreException("listing the bundles failed: " + e.getMessage(), e);
    }
    return views;
  }

  @Override
  public void drop(RowsView view) {
    try {
      drops.drop(view);
    } catch (RocksDBException e) {
      throw new StoreException("dropping %s failed: %s".formatted(view, e.getMessage()), e);
    }
  }

  @Override
  public void close() {
    List<RocksReader> open;
    synchronized (readers) {
      closed = true;
      open = List.copyOf(readers);
    }
    open.forEach(RocksReader::close);
    families.forEach(ColumnFamilyHandle::close);
    db.close();
    bulkOptions.close();
    durable.close();
    options.close();
    plainOptions.close();
    rowOptions.close();
    filter.close();
    cache.close();
  }
}
