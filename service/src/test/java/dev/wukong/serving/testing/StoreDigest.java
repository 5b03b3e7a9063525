package dev.wukong.serving.testing;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowFate;
import dev.wukong.serving.embedding.RowReader;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** What a store that nobody has open holds of a model, by its parts: each of them as its hash. */
public final class StoreDigest {
  private static final int PAGE = 4096;

  private StoreDigest() {}

  /** All rows of the version that {@code bundle} is, and all that training remembers of it. */
  public static Map<String, String> of(Path folder, Bundle bundle) {
    Map<String, String> parts = new TreeMap<>();
    String model = bundle.manifest().model();
    RowsView view = new RowsView(model, bundle.manifest().version(), 0);
    Map<Integer, Integer> widths = new HashMap<>();
    bundle.layout().tables().forEach(table -> widths.put(table.ordinal(), table.width()));
    try (RocksRowStore store = RocksRowStore.open(folder)) {
      for (StateKind kind : StateKind.values()) {
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
      RowsView newest = new RowsView(model, view.bundle(), store.version(view));
      parts.put("version", Long.toString(newest.version()));
      try (RowReader reader = store.reader(newest)) {
        parts.put("rows", rows(store, reader, view, widths));
      }
    }
    return parts;
  }

  private static String rows(
      RocksRowStore store, RowReader reader, RowsView view, Map<Integer, Integer> widths) {
    MessageDigest digest = sha256();
    long after = -1;
    for (long[] keys = store.rowKeys(view, after, PAGE);
        keys.length > 0;
        keys = store.rowKeys(view, after, PAGE)) {
      int from = 0;
      while (from < keys.length) {
        int width = width(keys[from], widths);
        int to = from + 1;
        while (to < keys.length && width(keys[to], widths) == width) {
          to++;
        }
        long[] some = Arrays.copyOfRange(keys, from, to);
        float[] rows = new float[some.length * width];
        reader.read(width, some, some.length, rows, new RowFate[some.length]);
        ByteBuffer bytes = ByteBuffer.allocate(rows.length * Float.BYTES);
        bytes.asFloatBuffer().put(rows);
        ByteBuffer ids = ByteBuffer.allocate(some.length * Long.BYTES);
        ids.asLongBuffer().put(some);
        digest.update(ids);
        digest.update(bytes);
        from = to;
      }
      after = keys[keys.length - 1];
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
