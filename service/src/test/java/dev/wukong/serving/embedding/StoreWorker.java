package dev.wukong.serving.embedding;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A process that does operations on a RocksDB, one for each number that it reads, and says when it
 * begins and when it has done. It is made to be killed. Arguments: the store's folder, the seed,
 * and whether to say that a commit is done before it is.
 */
final class StoreWorker {
  static final String OPENING = "opening";
  static final String OPEN = "open";
  static final String BEGUN = "begun";
  static final String DONE = "done";

  /** Small, so that files are written, loaded and compacted all the time. */
  static final long FILE_BYTES = 1 << 14;

  static final long CACHE_BYTES = 1 << 20;

  private final Path folder;
  private final long seed;
  private final boolean early;
  private RocksRowStore store;

  /** What was said to be done and is not. */
  private @Nullable StoreOperation late;

  private StoreWorker(Path folder, long seed, boolean early) {
    this.folder = folder;
    this.seed = seed;
    this.early = early;
    this.store = RocksRowStore.open(folder, RowFormat.FP32, CACHE_BYTES, FILE_BYTES);
  }

  public static void main(String[] args) throws IOException {
    say(OPENING);
    StoreWorker worker =
        new StoreWorker(Path.of(args[0]), Long.parseLong(args[1]), Boolean.parseBoolean(args[2]));
    say(OPEN);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      int number = Integer.parseInt(line);
      say(BEGUN + " " + number);
      worker.perform(number);
    }
    worker.close();
  }

  /** In one write: the process may end between any two. */
  private static void say(String line) {
    System.out.writeBytes((line + "\n").getBytes(StandardCharsets.US_ASCII));
    System.out.flush();
  }

  private void perform(int number) {
    StoreOperation operation = StoreOperation.draw(seed, number);
    if (early && operation instanceof StoreOperation.Commit) {
      say(DONE + " " + number + " 0");
      performLate();
      late = operation;
      return;
    }
    performLate();
    if (operation instanceof StoreOperation.Reopen) {
      store.close();
      store = RocksRowStore.open(folder, RowFormat.FP32, CACHE_BYTES, FILE_BYTES);
    }
    say("%s %d %d".formatted(DONE, number, StoreActions.perform(store, operation)));
  }

  private void performLate() {
    StoreOperation operation = late;
    late = null;
    if (operation != null) {
      int _ = StoreActions.perform(store, operation);
    }
  }

  private void close() {
    performLate();
    store.close();
  }
}
