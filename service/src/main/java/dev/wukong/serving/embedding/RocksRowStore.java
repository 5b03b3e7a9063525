package dev.wukong.serving.embedding;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.Checkpoint;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.IndexType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Rows and training's state in one RocksDB for all models. The rows of an import are in a column
 * family of their own ({@link RocksLayers}), or as far as they differ from those of another bundle
 * ({@link RocksSpaces}); what commits have changed since lies above, in a family for all bundles
 * ({@link StoreKeys}). See also {@link RocksValue} and {@link RocksStates}.
 */
public final class RocksRowStore implements StateStore {
  private static final byte[] ROWS = "rows".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] STATES = "states".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] IMPORTS = "imports".getBytes(StandardCharsets.US_ASCII);

  /** The file of a RocksDB that is there from its first opening on. */
  private static final String CURRENT = "CURRENT";

  /** Below the store's folder: files of rows on their way in. */
  private static final String BULK = "bulk";

  /** Of a file of rows, and of the rows in memory before they become one. */
  private static final long FILE_BYTES = 64L << 20;

  /** Of what a store keeps of its files where nobody says otherwise. */
  private static final long CACHE_BYTES = 64L << 20;

  /**
   * Of the log of writes, which the next start reads again. RocksDB's own bound grows with each
   * column family, although nothing is written to those of imports.
   */
  private static final long LOG_BYTES = 256L << 20;

  private static final double HIGH_PRIORITY_SHARE = 0.5;

  private final BloomFilter filter = new BloomFilter(10);
  private final Cache cache;
  private final ColumnFamilyOptions rowOptions = new ColumnFamilyOptions();
  private final ColumnFamilyOptions plainOptions = new ColumnFamilyOptions();
  private final DBOptions options =
      new DBOptions()
          .setCreateIfMissing(true)
          .setCreateMissingColumnFamilies(true)
          .setMaxTotalWalSize(LOG_BYTES);
  private final WriteOptions durable = new WriteOptions().setSync(true);
  private final List<ColumnFamilyHandle> families;
  private final RocksDB db;
  private final ColumnFamilyHandle rows;
  private final RocksMarks marks;
  private final RocksLayers layers;
  private final RocksStates states;
  private final RowFormat format;
  private final Options bulkOptions;
  private final RocksPlace bulk;

  /** Those that are open. Guarded by itself. */
  private final Set<RocksReader> readers = new HashSet<>();

  /** Read under {@link #readers} or {@link #use}; written under both. */
  private boolean closed;

  /** Held by whoever reads or writes for training. */
  private final ReadWriteLock use = new ReentrantReadWriteLock();

  /** Open to the package, so that a test can cut a drop short. */
  final RocksDrops drops;

  private RocksRowStore(Path directory, RowFormat format, long cacheBytes, long fileBytes)
      throws RocksDBException {
    this.format = format;
    cache = new LRUCache(cacheBytes, -1, false, HIGH_PRIORITY_SHARE);
    rowOptions.setTableFormatConfig(files());
    rowOptions.setWriteBufferSize(fileBytes).setTargetFileSizeBase(fileBytes);
    List<ColumnFamilyDescriptor> descriptors = new ArrayList<>();
    descriptors.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, plainOptions));
    descriptors.add(new ColumnFamilyDescriptor(ROWS, rowOptions));
    descriptors.add(new ColumnFamilyDescriptor(IMPORTS, plainOptions));
    descriptors.add(new ColumnFamilyDescriptor(STATES, rowOptions));
    List<String> ofImports = layersIn(directory);
    for (String name : ofImports) {
      byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
      descriptors.add(new ColumnFamilyDescriptor(bytes, rowOptions));
    }
    List<ColumnFamilyHandle> opened = new ArrayList<>();
    db = RocksDB.open(options, directory.toString(), descriptors, opened);
    int fixed = descriptors.size() - ofImports.size();
    families = List.copyOf(opened.subList(0, fixed));
    rows = families.get(1);
    ColumnFamilyHandle imports = families.get(2);
    marks = new RocksMarks(db, imports, durable);
    Map<String, ColumnFamilyHandle> byName = new HashMap<>();
    for (int i = 0; i < ofImports.size(); i++) {
      byName.put(ofImports.get(i), opened.get(fixed + i));
    }
    layers = new RocksLayers(db, rowOptions, marks, byName);
    ColumnFamilyHandle stateFamily = families.get(3);
    states = new RocksStates(db, stateFamily);
    bulkOptions = new Options(options, rowOptions);
    Path folder = directory.resolve(BULK);
    bulk = new RocksPlace(db, layers, marks, bulkOptions, folder, format, fileBytes);
    drops = new RocksDrops(db, durable, families.get(0), rows, imports, stateFamily, layers);
  }

  /** Drops what a process left that ended while it made a column family, or removed one. */
  private void dropLeftOver() throws RocksDBException {
    boolean done = false;
    try {
      layers.dropUnused();
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  private List<String> layersIn(Path directory) throws RocksDBException {
    if (!Files.exists(directory.resolve(CURRENT))) {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    try (Options any = new Options()) {
      for (byte[] name : RocksDB.listColumnFamilies(any, directory.toString())) {
        names.add(new String(name, StandardCharsets.US_ASCII));
      }
    }
    names.removeIf(name -> !RocksLayers.isLayer(name));
    return names;
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
      RocksRowStore store = new RocksRowStore(directory, format, cacheBytes, fileBytes);
      store.dropLeftOver();
      return store;
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
      try {
        RocksReader reader = new RocksReader(db, sources(view), view, this::forget);
        readers.add(reader);
        return reader;
      } catch (RocksDBException e) {
        throw new StoreException(
            "finding the rows of %s failed: %s".formatted(view, e.getMessage()), e);
      }
    }
  }

  private List<RocksSource> sources(RowsView view) throws RocksDBException {
    return RocksSource.of(view, marks, layers, rows);
  }

  private void forget(RocksReader reader) {
    synchronized (readers) {
      readers.remove(reader);
    }
  }

  private List<RocksReader> open(Predicate<RocksReader> which) {
    synchronized (readers) {
      return readers.stream().filter(which).toList();
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

  /** Keeps it open while training reads or writes: RocksDB does not look whether it is. */
  private Lock use() {
    Lock lock = use.readLock();
    lock.lock();
    if (closed) {
      lock.unlock();
      throw new StoreException("the row store is closed", null);
    }
    return lock;
  }

  @Override
  public void apply(RowCommit commit, List<StateChange> state) {
    Lock lock = use();
    try {
      write(commit, state);
    } finally {
      lock.unlock();
    }
  }

  private void write(RowCommit commit, List<StateChange> state) {
    StoreKeys storeKeys = new StoreKeys(commit.view());
    long version = commit.view().version();
    try (WriteBatch batch = new WriteBatch()) {
      // What was imported lies below, and must not come to light again.
      boolean covers = marks.spaces(commit.view()).isPresent();
      for (RowCommit.Changes changes : commit.changes()) {
        int width = changes.width();
        RocksValue value = new RocksValue(format, width, version);
        for (int i = 0; i < changes.keys().length; i++) {
          batch.put(rows, storeKeys.row(changes.keys()[i]), value.of(changes.rows(), i * width));
        }
        for (long key : changes.removed()) {
          if (covers) {
            batch.put(rows, storeKeys.row(key), RocksSource.REMOVED);
          } else {
            batch.delete(rows, storeKeys.row(key));
          }
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
    Lock lock = use();
    try {
      return states.read(view, kind, keys);
    } catch (RocksDBException e) {
      throw unreadState(view, kind, e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void forEachState(RowsView view, StateKind kind, StateReceiver receiver) {
    Lock lock = use();
    try {
      states.forEach(view, kind, receiver);
    } catch (RocksDBException e) {
      throw unreadState(view, kind, e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<Remembered> states(RowsView view, StateKind kind, long after, int most) {
    List<Remembered> found = new ArrayList<>();
    Lock lock = use();
    try {
      long first = Math.max(after, -1) + 1;
      states.forEach(
          view, kind, first, most, (key, value) -> found.add(new Remembered(key, value)));
    } catch (RocksDBException e) {
      throw unreadState(view, kind, e);
    } finally {
      lock.unlock();
    }
    return found;
  }

  private static StoreException unreadState(RowsView view, StateKind kind, RocksDBException e) {
    return new StoreException(
        "reading the state (%s) of model '%s' version %d failed: %s"
            .formatted(kind, view.model(), view.bundle(), e.getMessage()),
        e);
  }

  @Override
  public long[] rowKeys(RowsView view, long after, int most) {
    Lock lock = use();
    try {
      // No column family goes while its keys are read.
      synchronized (layers) {
        try (RocksKeys keys = new RocksKeys(db, sources(view), Math.max(after, -1) + 1)) {
          return keys.next(most);
        }
      }
    } catch (RocksDBException e) {
      throw new StoreException(
          "listing the rows of %s failed: %s".formatted(view, e.getMessage()), e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public BulkRows bulk(RowsView view, String digest, RowSample sample) {
    try {
      long after = marks.after(view, digest);
      Optional<RocksSpaces> begun = marks.spaces(view);
      if (after != BulkRows.NOTHING && begun.isPresent()) {
        return new RocksBulk(bulk, view, begun.get(), digest, after);
      }
      drop(view);
      RocksSpaces spaces = layers.begin(view, new RocksSample(db, format, sample));
      return new RocksBulk(bulk, view, spaces, digest, BulkRows.NOTHING);
    } catch (RocksDBException e) {
      throw new StoreException(
          "beginning to write the rows of %s failed: %s".formatted(view, e.getMessage()), e);
    }
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
      StoreKeys keys = new StoreKeys(view);
      if (drops.has(keys)) {
        drops.hide(keys);
        // Nobody should have one by now. Who has one gets an error, instead of memory that is gone;
        // one that is made from here on finds no column family to read.
        open(reader -> reader.reads(view)).forEach(RocksReader::close);
        drops.reclaim(keys);
      }
    } catch (RocksDBException e) {
      throw new StoreException("dropping %s failed: %s".formatted(view, e.getMessage()), e);
    }
  }

  /** What RocksDB counts. Open to the package, so that a test can see what was synced. */
  String statistics() throws RocksDBException {
    return db.getProperty("rocksdb.dbstats");
  }

  /**
   * Writes all that there is at one moment, between two commits, to a store in {@code folder},
   * which is not there and on the same disk: then it takes no space of its own, as files that do
   * not change are shared.
   *
   * @throws StoreException if that cannot be done
   */
  public void copyTo(Path folder) {
    Lock lock = use();
    try {
      try (Checkpoint copy = Checkpoint.create(db)) {
        copy.createCheckpoint(folder.toString());
      }
    } catch (RocksDBException e) {
      throw new StoreException(
          "copying the store to %s failed: %s".formatted(folder, e.getMessage()), e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    Lock nobodyElse = use.writeLock(); // A trainer that does not end in time may still read.
    nobodyElse.lock();
    try {
      synchronized (readers) {
        closed = true;
      }
      closeAll();
    } finally {
      nobodyElse.unlock();
    }
  }

  private void closeAll() {
    open(_ -> true).forEach(RocksReader::close);
    layers.close();
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
