package dev.wukong.serving.embedding;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Random operations on a RocksDB in a process that is killed again and again, beside plain maps:
 * what it said to be done is there afterwards, what was cut short is there wholly or not at all.
 *
 * <p>The process is killed, not the machine: what it had handed to the kernel stays, synced or not.
 * So this says what a process leaves behind at any moment, and how a store is opened after that; it
 * says nothing of a loss of power, which only syncing helps against. One thread.
 */
final class StoreTrial {
  /** In the middle of what the process is killed, in turn. */
  private enum Moment {
    COMMIT,
    LOAD,
    OPENING,
    DROP,
    REOPEN;

    boolean isIn(StoreOperation operation) {
      return switch (this) {
        case COMMIT, OPENING -> operation instanceof StoreOperation.Commit;
        case LOAD -> operation instanceof StoreOperation.Load;
        case DROP -> operation instanceof StoreOperation.Drop;
        case REOPEN -> operation instanceof StoreOperation.Reopen;
      };
    }
  }

  /**
   * What came of a trial.
   *
   * @param kills how often the process was killed
   * @param cutShort how often it had begun something that it had not said to be done
   * @param resumed how often a load was gone on with where the process had been killed in it
   * @param difference the first that was found, which ends the trial
   */
  record Outcome(
      int operations, int kills, int cutShort, int resumed, Optional<String> difference) {}

  /** A kill comes at most two to the power of 10 to this many turns of a loop after the begin. */
  private static final int SPINS_POWER = 21;

  /** In a load, which drops first what was there, and then writes for as long. */
  private static final int SPINS_OF_LOAD = 1 << 22;

  private final Path folder;
  private final long seed;
  private final boolean early;
  private final SplittableRandom moments;
  private PlainRows rows = new PlainRows();

  /** Operations that count as done. */
  private int done;

  private int kills;
  private int cutShort;
  private int resumed;

  /**
   * A trial that begins with an empty store.
   *
   * @param folder its own, which exists
   * @param early whether the process says that a commit is done before it is: a planted defect
   */
  StoreTrial(Path folder, long seed, boolean early) {
    this.folder = folder;
    this.seed = seed;
    this.early = early;
    this.moments = new SplittableRandom(seed);
  }

  /** Does {@code operations} operations, with {@code crashes} crashes spread over them. */
  Outcome run(int operations, int crashes) throws IOException, InterruptedException {
    Optional<String> difference = Optional.empty();
    for (int crash = 0; crash < crashes && difference.isEmpty(); crash++) {
      int least = (int) ((crash + moments.nextDouble() / 2) * operations / crashes);
      difference = untilCrash(least, operations, Moment.values()[crash % Moment.values().length]);
    }
    if (difference.isEmpty()) {
      difference = untilEnd(operations);
    }
    return new Outcome(done, kills, cutShort, resumed, difference);
  }

  /** Goes on from {@code least} until the process is killed at {@code moment}. */
  private Optional<String> untilCrash(int least, int operations, Moment moment)
      throws IOException, InterruptedException {
    StoreOperation cut;
    try (StoreWorkerProcess worker = start()) {
      worker.expect(StoreWorker.OPEN);
      while (done < operations && (done < least || !moment.isIn(next()))) {
        Optional<String> difference = perform(worker);
        if (difference.isPresent()) {
          return difference;
        }
      }
      if (done == operations) {
        worker.end();
        return settle(null);
      }
      cut = killInside(worker);
    }
    if (moment == Moment.OPENING) {
      try (StoreWorkerProcess worker = start()) {
        spin();
        boolean _ = worker.kill();
        kills++;
      }
    }
    return settle(cut);
  }

  private Optional<String> untilEnd(int operations) throws IOException, InterruptedException {
    try (StoreWorkerProcess worker = start()) {
      worker.expect(StoreWorker.OPEN);
      while (done < operations) {
        Optional<String> difference = perform(worker);
        if (difference.isPresent()) {
          return difference;
        }
      }
      worker.end();
    }
    return settle(null);
  }

  private StoreWorkerProcess start() throws IOException {
    return new StoreWorkerProcess(folder, seed, early);
  }

  private StoreOperation next() {
    return StoreOperation.draw(seed, done);
  }

  /** Has the next operation done; how what it found differs from what is there. */
  private Optional<String> perform(StoreWorkerProcess worker) throws IOException {
    StoreOperation operation = next();
    int must = operation instanceof StoreOperation.Read read ? rows.hash(read) : 0;
    String mustSay = "%s %d %d".formatted(StoreWorker.DONE, done, must);
    worker.begin(done);
    String says = worker.line();
    rows = rows.after(operation);
    done++;
    return says.equals(mustSay)
        ? Optional.empty()
        : Optional.of("%s: '%s', must be '%s'".formatted(operation, says, mustSay));
  }

  /** Kills the process in its next operation; which that is, null where it was done before. */
  private @Nullable StoreOperation killInside(StoreWorkerProcess worker)
      throws IOException, InterruptedException {
    StoreOperation operation = next();
    worker.begin(done);
    if (operation instanceof StoreOperation.Load) {
      spinAtMost(SPINS_OF_LOAD);
    } else {
      spin();
    }
    kills++;
    if (worker.kill()) {
      rows = rows.after(operation);
      done++;
      return null;
    }
    cutShort++;
    return operation;
  }

  /** Early ends as likely as late ones: operations take microseconds or many milliseconds. */
  private void spin() {
    spinAtMost(1 << moments.nextInt(10, SPINS_POWER + 1));
  }

  private void spinAtMost(int most) {
    for (int i = moments.nextInt(most); i > 0; i--) {
      Thread.onSpinWait();
    }
  }

  /** Compares all that is there, and finds out what became of an operation that was cut short. */
  private Optional<String> settle(@Nullable StoreOperation cut) {
    try (RocksRowStore store =
        RocksRowStore.open(
            StoreWorkerProcess.store(folder),
            RowFormat.FP32,
            StoreWorker.CACHE_BYTES,
            StoreWorker.FILE_BYTES)) {
      if (cut == null) {
        return rows.difference(store);
      }
      if (rows.after(cut).difference(store).isEmpty()) {
        rows = rows.after(cut);
        done++;
        return Optional.empty();
      }
      int before = rows.resumed();
      Optional<String> difference = rows.differenceAfterCut(store, cut);
      resumed += rows.resumed() - before;
      return difference;
    }
  }
}
