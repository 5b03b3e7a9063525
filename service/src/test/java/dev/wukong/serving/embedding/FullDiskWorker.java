package dev.wukong.serving.embedding;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A process that commits until the system lets no file grow any more, tries a few times more, and
 * reads; it says how each went. Argument: the store's folder.
 */
final class FullDiskWorker {
  static final String WRITTEN = "written";
  static final String FAILED = "failed";
  static final String READ = "read";

  static final int ROWS = 50;
  static final int WIDTH = 8;

  /** Commits that are tried after one that failed. */
  static final int AGAIN = 3;

  private FullDiskWorker() {}

  static RowsView view(long version) {
    return new RowsView("m", 1, version);
  }

  static long[] keys() {
    long[] keys = new long[ROWS];
    Arrays.setAll(keys, i -> i);
    return keys;
  }

  /** Rows and memory of this version, of which there are so many in all of it. */
  static void commit(StateStore store, long version) {
    float[] rows = new float[ROWS * WIDTH];
    Arrays.fill(rows, (float) version);
    byte[] memory = Long.toString(version).getBytes(StandardCharsets.US_ASCII);
    store.apply(
        new RowCommit(view(version), WIDTH, keys(), rows),
        List.of(new StateChange.Put(StateKind.COMMIT, 0, memory)));
  }

  /** What all rows and the memory say that they are; "mixed" where they are not one. */
  static String stored(StateStore store) {
    long version = store.version(view(0));
    float[] rows = new float[ROWS * WIDTH];
    RowFate[] fates = new RowFate[ROWS];
    try (RowReader reader = store.reader(view(version))) {
      reader.read(WIDTH, keys(), ROWS, rows, fates);
    }
    byte[] memory = store.state(view(0), StateKind.COMMIT, new long[] {0}).getFirst();
    boolean one =
        memory != null && new String(memory, StandardCharsets.US_ASCII).equals("" + version);
    for (float of : rows) {
      one &= of == (float) version;
    }
    return one ? Long.toString(version) : "mixed";
  }

  public static void main(String[] args) {
    try (RocksRowStore store = RocksRowStore.open(Path.of(args[0]))) {
      long version = store.version(view(0));
      int failures = 0;
      while (failures <= AGAIN) {
        try {
          commit(store, version + 1);
          version++;
          say(WRITTEN + " " + version);
        } catch (StoreException e) {
          failures++;
          say(FAILED + " " + e.getMessage());
        }
      }
      say(READ + " " + stored(store));
    }
  }

  /** In one write. */
  private static void say(String line) {
    System.out.writeBytes((line + "\n").getBytes(StandardCharsets.US_ASCII));
    System.out.flush();
  }
}
