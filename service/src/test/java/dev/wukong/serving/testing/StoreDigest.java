package dev.wukong.serving.testing;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.MirroredRows;
import dev.wukong.serving.embedding.RedisRowStore;
import dev.wukong.serving.embedding.RedisSettings;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowFate;
import dev.wukong.serving.embedding.RowReader;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What a store that nobody has open holds of a model, by its parts: each of them as its hash. */
public final class StoreDigest {
  private static final int PAGE = 4096;

  private StoreDigest() {}

  /** All rows of the version that {@code bundle} is, and all that training remembers of it. */
  public static Map<String, String> of(Path folder, Bundle bundle) {
    Map<Integer, Integer> widths = widths(bundle);
    try (RocksRowStore store = RocksRowStore.open(folder)) {
      return of(store, view(bundle), List.of(StateKind.values()), keys(store, bundle), widths);
    }
  }

  /**
   * The parts of these that who serves from Redis sees there, of the rows that the store in {@code
   * like} has.
   */
  public static Map<String, String> mirrored(RedisSettings settings, Path like, Bundle bundle) {
    List<StateKind> kinds = Stream.of(StateKind.values()).filter(StateKind::serves).toList();
    RowsView view = view(bundle);
    try (RocksRowStore store = RocksRowStore.open(like);
        MirroredRows rows =
            new MirroredRows(RedisRowStore.open(settings), bundle.manifest().model())) {
      if (!rows.imported(view).equals(store.imported(view))) {
        throw new IllegalStateException("not all rows are in Redis");
      }
      return of(rows, view, kinds, keys(store, bundle), widths(bundle));
    }
  }

  private static RowsView view(Bundle bundle) {
    return new RowsView(bundle.manifest().model(), bundle.manifest().version(), 0);
  }

  private static Map<Integer, Integer> widths(Bundle bundle) {
    Map<Integer, Integer> widths = new HashMap<>();
    bundle.layout().tables().forEach(table -> widths.put(table.ordinal(), table.width()));
    return widths;
  }

  private static List<long[]> keys(RocksRowStore store, Bundle bundle) {
    RowsView view = view(bundle);
    List<long[]> pages = new ArrayList<>();
    for (long[] keys = store.rowKeys(view, -1, PAGE);
        keys.length > 0;
        keys = store.rowKeys(view, keys[keys.length - 1], PAGE)) {
      pages.add(keys);
    }
    return pages;
  }

  private static Map<String, String> of(
      StateStore store,
      RowsView view,
      List<StateKind> kinds,
      List<long[]> pages,
      Map<Integer, Integer> widths) {
    Map<String, String> parts = new TreeMap<>();
    for (StateKind kind : kinds) {
      MessageDigest digest = sha256();
      store.forEachState(
          view,
          kind,
          (key, value) -> {
            digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, key));
            digest.update(value);
          });
      parts.put(kind.toString(), HexFormat.of().formatHex(digest.digest()));
    }
    RowsView newest = new RowsView(view.model(), view.bundle(), store.version(view));
    parts.put("version", Long.toString(newest.version()));
    try (RowReader reader = store.reader(newest)) {
      parts.put("rows", rows(pages, reader, widths));
    }
    return parts;
  }

  private static String rows(List<long[]> pages, RowReader reader, Map<Integer, Integer> widths) {
    MessageDigest digest = sha256();
    for (long[] keys : pages) {
      int from = 0;
      while (from < keys.length) {
        int width = width(keys[from], widths);
        int to = from + 1;
        while (to < keys.length && width(keys[to], widths) == width) {
          to++;
        }
        long[] some = Arrays.copyOfRange(keys, from, to);
        float[] rows = new float[some.length * width];
        RowFate[] fates = new RowFate[some.length];
        reader.read(width, some, some.length, rows, fates);
        ByteBuffer bytes = ByteBuffer.allocate(rows.length * Float.BYTES);
        bytes.asFloatBuffer().put(rows);
        ByteBuffer ids = ByteBuffer.allocate(some.length * Long.BYTES);
        ids.asLongBuffer().put(some);
        digest.update(ids);
        digest.update(Arrays.toString(fates).getBytes(StandardCharsets.US_ASCII));
        digest.update(bytes);
        from = to;
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static int width(long key, Map<Integer, Integer> widths) {
    Integer width = widths.get(RowKey.table(key));
    if (width == null) {
      throw new IllegalStateException("row %d is of no table".formatted(key));
    }
    return width;
  }

  private static MessageDigest sha256() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update("wukong".getBytes(StandardCharsets.US_ASCII));
      return digest;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
