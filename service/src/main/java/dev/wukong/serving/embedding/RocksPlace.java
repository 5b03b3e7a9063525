package dev.wukong.serving.embedding;

import java.nio.file.Path;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/**
 * Where rows come into a RocksDB as files, and what files look like there.
 *
 * @param layers take them
 * @param marks remembers how far a bundle has come
 * @param folder for files on their way; in the same file system as the store
 * @param format how rows are kept
 * @param fileBytes about as large each becomes
 */
record RocksPlace(
    RocksDB db,
    RocksLayers layers,
    RocksMarks marks,
    Options options,
    Path folder,
    RowFormat format,
    long fileBytes) {}
