package dev.wukong.serving.events;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.IndexType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteOptions;

/** The RocksDB of a log, open, and its column families. Who opens it closes it. */
final class RocksEventFamilies implements AutoCloseable {
  private static final byte[] EVENTS = "events".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] PREDICTIONS = "predictions".getBytes(StandardCharsets.US_ASCII);

  /** Of parts of files in memory: blocks, indexes and filters. */
  private static final long CACHE_BYTES = 64L << 20;

  /** Of predictions and marks in memory before they become a file. */
  private static final long SMALL_FILE_BYTES = 8L << 20;

  /** Of RocksDB's own log of writes, by files of events. */
  private static final long LOG_FILES = 2;

  /** Of a file in which RocksDB writes what it does; it keeps two. */
  private static final long INFO_BYTES = 1L << 20;

  /** Of the list of its files, before it begins a new one. */
  private static final long MANIFEST_BYTES = 16L << 20;

  private final BloomFilter filter = new BloomFilter(10);
  private final Cache cache = new LRUCache(CACHE_BYTES);
  private final ColumnFamilyOptions markOptions = new ColumnFamilyOptions();
  private final ColumnFamilyOptions eventOptions = new ColumnFamilyOptions();
  private final ColumnFamilyOptions predictionOptions = new ColumnFamilyOptions();
  private final DBOptions options = new DBOptions();
  private final WriteOptions durable = new WriteOptions().setSync(true);

  // Whoever goes through all events must not push out those that are asked for.
  private final ReadOptions once = new ReadOptions().setFillCache(false);

  private final List<ColumnFamilyHandle> handles = new ArrayList<>();
  private final RocksDB db;

  private RocksEventFamilies(Path directory, long fileBytes) throws RocksDBException {
    options
        .setCreateIfMissing(true)
        .setCreateMissingColumnFamilies(true)
        .setMaxTotalWalSize(LOG_FILES * fileBytes)
        // A write that the end of the process cut short goes. One that is damaged was acknowledged:
        // then the log must not open as though it had never been, and use its positions again.
        .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
        .setMaxLogFileSize(INFO_BYTES)
        .setKeepLogFileNum(2)
        .setMaxManifestFileSize(MANIFEST_BYTES);
    markOptions.setWriteBufferSize(SMALL_FILE_BYTES);
    // Each file is moved below those before it as soon as it is written, as nothing in it is in
    // another: only from there can it be removed whole. All levels are compressed alike, or it
    // would be written again.
    eventOptions
        .setWriteBufferSize(fileBytes)
        .setTargetFileSizeBase(fileBytes)
        .setLevel0FileNumCompactionTrigger(1)
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setTableFormatConfig(files());
    predictionOptions
        .setWriteBufferSize(Math.min(fileBytes, SMALL_FILE_BYTES))
        .setTargetFileSizeBase(Math.min(fileBytes, SMALL_FILE_BYTES))
        .setTableFormatConfig(files().setFilterPolicy(filter).setPartitionFilters(true));
    List<ColumnFamilyDescriptor> descriptors =
        List.of(
            new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, markOptions),
            new ColumnFamilyDescriptor(EVENTS, eventOptions),
            new ColumnFamilyDescriptor(PREDICTIONS, predictionOptions));
    boolean done = false;
    try {
      db = RocksDB.open(options, directory.toString(), descriptors, handles);
      done = true;
    } finally {
      if (!done) {
        closeOptions();
      }
    }
  }

  /** Opens or creates it, with files of events of some {@code fileBytes} each. */
  static RocksEventFamilies open(Path directory, long fileBytes) throws RocksDBException {
    RocksDB.loadLibrary();
    return new RocksEventFamilies(directory, fileBytes);
  }

  /** Indexes and filters grow with the log, so they lie in the cache like all else, in parts. */
  private BlockBasedTableConfig files() {
    return new BlockBasedTableConfig()
        .setBlockCache(cache)
        .setIndexType(IndexType.kTwoLevelIndexSearch)
        .setCacheIndexAndFilterBlocks(true)
        .setCacheIndexAndFilterBlocksWithHighPriority(true)
        .setPinTopLevelIndexAndFilter(true);
  }

  RocksDB db() {
    return db;
  }

  /** Few, by name. */
  ColumnFamilyHandle marks() {
    return handles.get(0);
  }

  /** By position. */
  ColumnFamilyHandle events() {
    return handles.get(1);
  }

  /** By id. */
  ColumnFamilyHandle predictions() {
    return handles.get(2);
  }

  /** How to write so that it is on stable storage. */
  WriteOptions durable() {
    return durable;
  }

  /** How to read what nobody reads again soon. */
  ReadOptions once() {
    return once;
  }

  private void closeOptions() {
    durable.close();
    once.close();
    options.close();
    predictionOptions.close();
    eventOptions.close();
    markOptions.close();
    filter.close();
    cache.close();
  }

  @Override
  public void close() {
    handles.forEach(ColumnFamilyHandle::close);
    db.close();
    closeOptions();
  }
}
