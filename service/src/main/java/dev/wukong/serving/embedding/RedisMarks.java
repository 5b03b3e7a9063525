package dev.wukong.serving.embedding;

import io.lettuce.core.ScriptOutputType;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** What a Redis cluster remembers of its bundles. Any thread; all throw {@link StoreException}. */
record RedisMarks(RedisConnection connection, byte[] bundles) {
  /** How far the rows of a bundle have come, if something is known. */
  Optional<ImportMark> mark(RedisKeys keys) {
    byte[] text = connection.await(connection.commands().get(keys.mark()), "reading a mark");
    return Optional.ofNullable(text)
        .map(mark -> new ImportMark(new String(mark, StandardCharsets.UTF_8)));
  }

  void put(RedisKeys keys, ImportMark mark) {
    String _ =
        connection.await(
            connection.commands().set(keys.mark(), mark.text().getBytes(StandardCharsets.UTF_8)),
            "writing a mark");
  }

  /**
   * Writes how far {@code filling} has come, unless all is there already; whether it is still the
   * bundle's.
   */
  boolean note(RedisKeys keys, String filling, ImportMark mark) {
    long own =
        connection.await(
            connection.<Long>run(
                RedisBundleScripts.NOTE,
                ScriptOutputType.INTEGER,
                new byte[][] {keys.mark(), keys.filling()},
                RedisKeys.ascii(filling),
                mark.text().getBytes(StandardCharsets.UTF_8),
                RedisKeys.ascii(ImportMark.PARTLY)),
            "writing a mark");
    return own == 1;
  }

  /** Which load the rows are of; empty where that is not known. */
  String filling(RedisKeys keys) {
    byte[] text = connection.await(connection.commands().get(keys.filling()), "reading a mark");
    return text == null ? "" : new String(text, StandardCharsets.US_ASCII);
  }

  void fill(RedisKeys keys, String filling) {
    String _ =
        connection.await(
            connection.commands().set(keys.filling(), RedisKeys.ascii(filling)), "writing a mark");
  }

  /** The version of the changes written last; 0: none were. */
  long version(RedisKeys keys) {
    byte[] text = connection.await(connection.commands().get(keys.version()), "reading a version");
    return text == null ? 0 : Long.parseLong(new String(text, StandardCharsets.US_ASCII));
  }

  /** Says that the bundle of {@code view} is about to have something. */
  void add(RowsView view) {
    long _ =
        connection.await(
            connection.commands().sadd(bundles, RedisKeys.ascii(RedisKeys.member(view))),
            "listing a bundle");
  }

  /** Says that the bundle of {@code view} has nothing any more. */
  void remove(RowsView view) {
    long _ =
        connection.await(
            connection.commands().srem(bundles, RedisKeys.ascii(RedisKeys.member(view))),
            "taking a bundle off the list");
  }

  boolean has(RowsView view) {
    return connection.await(
        connection.commands().sismember(bundles, RedisKeys.ascii(RedisKeys.member(view))),
        "looking for a bundle");
  }

  /** Every bundle that has something. */
  Set<RowsView> stored() {
    Set<RowsView> views = new HashSet<>();
    for (byte[] member :
        connection.await(connection.commands().smembers(bundles), "listing the bundles")) {
      views.add(RedisKeys.view(new String(member, StandardCharsets.US_ASCII)));
    }
    return views;
  }
}
