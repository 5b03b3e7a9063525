package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The keys of one bundle in a Redis cluster. A bundle's rows are spread over {@link #SHARDS}
 * shards; what stands in braces decides the slot, so all rows of a shard lie in one:
 *
 * <pre>
 * PREFIX:bundles                      the bundles that have something
 * PREFIX:{MODEL:BUNDLE}:mark          how far the rows have come
 * PREFIX:{MODEL:BUNDLE}:version       the version of the changes written last
 * PREFIX:{MODEL:BUNDLE}:intent        the version and the row keys of a commit under way
 * PREFIX:{MODEL:BUNDLE}:filling       which load the rows are of; see RedisLoads
 * PREFIX:{MODEL:BUNDLE}:users         the processes that use it, and until when; see RedisHolds
 * PREFIX:{MODEL:BUNDLE}:lock          who begins a load or drops it; see RedisLock
 * PREFIX:{MODEL:BUNDLE:SHARD}ROWKEY   a row; SHARD: two hexadecimal digits, ROWKEY: int64, big-endian
 * PREFIX:{MODEL:BUNDLE:SHARD}         says that the shard has its rows, or will; see RedisSigns
 * </pre>
 */
final class RedisKeys {
  /** A part of how rows are stored: with another number they would not be found. */
  static final int SHARDS = 64;

  /** Nothing that means something in a pattern, or ends what is in braces. */
  private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9_.-]+");

  private final String bundle;
  private final byte[][] shards = new byte[SHARDS][];

  /**
   * Keys of the bundle of {@code view}.
   *
   * @throws StoreException if the model's name cannot be a part of a key
   */
  RedisKeys(String prefix, RowsView view) {
    if (!MODEL.matcher(view.model()).matches()) {
      throw new StoreException(
          "model name '%s' cannot be a part of a key, allowed are a-z, A-Z, 0-9, '_', '.' and '-'"
              .formatted(view.model()),
          null);
    }
    bundle = "%s:{%s".formatted(prefix, member(view));
    for (int s = 0; s < SHARDS; s++) {
      shards[s] = ascii("%s:%02x}".formatted(bundle, s));
    }
  }

  /** The key of the set of bundles, which has a {@link #member} for each. */
  static byte[] bundles(String prefix) {
    return ascii(prefix + ":bundles");
  }

  static String member(RowsView view) {
    return view.model() + ":" + view.bundle();
  }

  /** The bundle, as imported, that a {@link #member} stands for. */
  static RowsView view(String member) {
    int colon = member.lastIndexOf(':');
    return new RowsView(member.substring(0, colon), Long.parseLong(member.substring(colon + 1)), 0);
  }

  byte[] mark() {
    return ascii(bundle + "}:mark");
  }

  byte[] version() {
    return ascii(bundle + "}:version");
  }

  byte[] intent() {
    return ascii(bundle + "}:intent");
  }

  byte[] filling() {
    return ascii(bundle + "}:filling");
  }

  byte[] users() {
    return ascii(bundle + "}:users");
  }

  byte[] lock() {
    return ascii(bundle + "}:lock");
  }

  /** The key that says that shard {@code shard} has its rows, or will have them. */
  byte[] sign(int shard) {
    return shards[shard].clone();
  }

  /** A pattern that the bundle's rows and signs match, and nothing else. */
  String rows() {
    return bundle + ":??}*";
  }

  /** Where a row is. Neighbours are spread: ids by the thousand begin with the same bits. */
  static int shard(long rowKey) {
    long mixed = (rowKey ^ (rowKey >>> 33)) * 0xff51afd7ed558ccdL;
    mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return (int) ((mixed ^ (mixed >>> 33)) & (SHARDS - 1));
  }

  /** The key of a row of shard {@code shard}. */
  byte[] row(int shard, long rowKey) {
    byte[] tag = shards[shard];
    return ByteBuffer.allocate(tag.length + Long.BYTES).put(tag).putLong(rowKey).array();
  }

  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
