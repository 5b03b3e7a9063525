package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.serving.embedding.BulkRows;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.RocksEventLog;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A process that serves, learns and is killed, again and again; then whether all that it
 * acknowledged is in its log, and whether what it has learned is what one learns who is never
 * killed.
 */
final class CrashTrial {
  /** So long it lives after it serves, at most. */
  private static final int LIFE_MS = 2_500;

  private final Path folder;
  private final String bug;
  private final SplittableRandom random;
  private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();

  CrashTrial(Path folder, long seed, String bug) {
    this.folder = folder;
    this.bug = bug;
    this.random = new SplittableRandom(seed);
  }

  /**
   * What became of it.
   *
   * @param early kills before it served
   * @param acknowledged labels
   * @param lost of these, those that are not in the log
   * @param examples that were learned from
   * @param again examples that one who was never killed did not learn from, or the other way round
   * @param differences pieces of state that are others
   */
  record Outcome(
      int kills,
      int early,
      long acknowledged,
      long lost,
      long logged,
      long examples,
      long again,
      long differences,
      String first) {}

  /** Kills it so often. */
  Outcome run(int kills) throws Exception {
    LearningModel.train(folder);
    int early = 0;
    for (int i = 0; i < kills; i++) {
      early += live(i) ? 0 : 1;
    }
    if (acknowledged.isEmpty()) {
      throw new IOException(
          "nothing was acknowledged: " + Files.readString(folder.resolve("worker.log")));
    }
    return judge(kills, early);
  }

  /** Lets it live a while; whether it served. */
  private boolean live(long number) throws Exception {
    Process process = CrashWorker.start(folder, number, bug);
    boolean serves = false;
    try (BufferedReader from = process.inputReader(StandardCharsets.US_ASCII)) {
      if (number == 0 || random.nextInt(20) > 0) {
        List<String> said = new ArrayList<>();
        String line = from.readLine();
        while (line != null && !line.startsWith(CrashWorker.SERVES)) { // It logs there, too.
          said.add(line);
          line = said.getLast().contains(" cannot be used") ? null : from.readLine();
        }
        if (line == null) {
          throw new IOException(
              "life %d: the process does not serve: %s %s"
                  .formatted(number, said, Files.readString(folder.resolve("worker.log"))));
        }
        serves = true;
      }
      // One of them gets so far as to acknowledge something, however slow the machine is.
      Thread killer = number == 0 ? null : kill(process);
      for (String line = from.readLine(); line != null; line = from.readLine()) {
        if (line.startsWith(CrashWorker.ACKNOWLEDGED + " ") && line.split(" ").length == 4) {
          boolean _ = acknowledged.add(line.substring(CrashWorker.ACKNOWLEDGED.length() + 1));
          killer = killer == null ? kill(process) : killer;
        } else {
          Files.writeString(
              folder.resolve("said.log"),
              "%d: %s%n".formatted(number, line),
              StandardOpenOption.CREATE,
              StandardOpenOption.APPEND);
        }
      }
      if (killer != null) {
        killer.join();
      }
    } finally {
      boolean _ = process.toHandle().destroyForcibly();
      int _ = process.waitFor();
    }
    return serves;
  }

  /** Kills it within its life. */
  private Thread kill(Process process) {
    int lives = random.nextInt(LIFE_MS);
    return Thread.ofVirtual()
        .start(
            () -> {
              try {
                Thread.sleep(lives);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              // By its handle: the process would throw away what nobody has read yet.
              boolean _ = process.toHandle().destroyForcibly();
            });
  }

  private Outcome judge(int kills, int early) throws Exception {
    Path own = folder.resolve(CrashWorker.BUNDLES).resolve(LearningModel.NAME).resolve("1");
    try (Bundle bundle = Bundle.open(own);
        RocksEventLog events = RocksEventLog.open(folder.resolve(CrashWorker.EVENTS));
        RocksRowStore killed = RocksRowStore.open(folder.resolve(CrashWorker.STORE));
        RocksRowStore never = RocksRowStore.open(folder.resolve("never-killed"))) {
      List<Logged> log = new ArrayList<>();
      while (log.size() < events.end()) { // Nothing is ever trimmed.
        log.addAll(events.read(log.size(), Integer.MAX_VALUE));
      }
      Set<String> labels = labels(log);
      long lost = acknowledged.stream().filter(label -> !labels.contains(label)).count();
      load(bundle, never);
      LearnerTrial trial = new LearnerTrial(bundle, CrashWorker.options());
      int width = bundle.layout().groups().getFirst().width();
      finish(trial, killed, log);
      finish(trial, never, log);
      LearnedMark one = mark(killed);
      LearnedMark other = mark(never);
      Map<String, String> expected = state(never, width);
      Map<String, String> found = state(killed, width);
      Set<String> keys = new HashSet<>(expected.keySet());
      keys.addAll(found.keySet());
      keys.removeIf(key -> Objects.equals(expected.get(key), found.get(key)));
      return new Outcome(
          kills,
          early,
          acknowledged.size(),
          lost,
          log.size(),
          other.examples(),
          Math.abs(one.examples() - other.examples()),
          keys.size(),
          keys.stream().sorted().findFirst().orElse("none"));
    }
  }

  /** Learns what is left of the log; the last commit may be one that nobody asked for. */
  private static void finish(LearnerTrial trial, StateStore store, List<Logged> log)
      throws IOException {
    int _ = trial.learn(store, log, 0, 0);
    try (Learner learner = trial.learner(store, log)) {
      while (learner.next() < log.size()) {
        boolean _ = learner.take(log.get(Math.toIntExact(learner.next())));
      }
      LearnerTrial.apply(store, learner.commit(1).commit());
    }
  }

  private static LearnedMark mark(StateStore store) {
    return LearnedMark.read(store, new RowsView(LearningModel.NAME, 1, 0)).orElseThrow();
  }

  /** Without who trained: each life is another. */
  private static Map<String, String> state(StateStore store, int width) {
    Map<String, String> state = LearnerTrial.state(store, width);
    LearnedMark mark = mark(store);
    state.keySet().removeIf(key -> key.startsWith("COMMIT"));
    state.put(
        "COMMIT",
        "%d %d %d %d".formatted(mark.dense(), mark.steps(), mark.examples(), mark.turnedMs()));
    return state;
  }

  /** All labels of the log, as they are acknowledged. */
  private static Set<String> labels(List<Logged> log) {
    Map<Long, PredictionId> ids = new HashMap<>();
    Set<String> labels = new HashSet<>();
    for (Logged logged : log) {
      switch (logged.event()) {
        case Event.Scored made -> ids.put(logged.position(), made.request().id());
        case Event.Labelled label -> {
          PredictionId id = Objects.requireNonNull(ids.get(label.scored()));
          labels.add(
              "%s%s %d %s"
                  .formatted(
                      HexFormat.of().toHexDigits(id.high()),
                      HexFormat.of().toHexDigits(id.low()),
                      label.position(),
                      label.task()));
        }
        case Event.Exposed _,
            Event.Boundary _,
            Event.Frozen _,
            Event.Ordered _,
            Event.Sequenced _ -> {}
      }
    }
    return labels;
  }

  /** Has the bundle's rows in {@code store}, as serving does. */
  private static void load(Bundle bundle, StateStore store) {
    try (BulkRows rows = store.bulk(new RowsView(LearningModel.NAME, 1, 0), "digest")) {
      for (Table table : bundle.layout().tables()) {
        bundle.forEachPart(
            table,
            (ids, values) -> {
              FloatBuffer from = Objects.requireNonNull(values.get("rows"));
              long[] keys = new long[ids.limit()];
              for (int i = 0; i < keys.length; i++) {
                keys[i] = RowKey.of(table.ordinal(), ids.get(i));
              }
              float[] floats = new float[keys.length * table.width()];
              from.get(0, floats);
              rows.add(table.width(), keys, keys.length, floats);
            });
      }
      rows.finish();
    }
  }
}
