package dev.wukong.serving.embedding;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Where a bundle's rows as imported lie in a RocksDB, by the names of column families. What {@code
 * own} has no value for is as {@code base} has it; the rows of commits lie above both.
 *
 * @param own rows of this bundle alone; with a base those that differ from it
 * @param base all rows of another bundle, which has none itself; empty where nothing is shared
 */
record RocksSpaces(String own, Optional<String> base) {
  private static final String OVER = " over ";

  static RocksSpaces of(byte[] bytes) {
    String[] names = new String(bytes, StandardCharsets.US_ASCII).split(OVER, 2);
    return new RocksSpaces(names[0], names.length == 1 ? Optional.empty() : Optional.of(names[1]));
  }

  byte[] bytes() {
    return base.map(name -> own + OVER + name).orElse(own).getBytes(StandardCharsets.US_ASCII);
  }

  /** The one with all rows of a bundle, which others may share. */
  String root() {
    return base.orElse(own);
  }
}
