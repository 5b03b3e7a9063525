package dev.wukong.serving.embedding;

import org.rocksdb.RocksDBException;

/** Takes the keys of rows that one bundle has and another, which shares its rows, has not. */
@FunctionalInterface
interface RocksMissing {
  /** Takes the next key, above those before. */
  void accept(long key) throws RocksDBException;
}
