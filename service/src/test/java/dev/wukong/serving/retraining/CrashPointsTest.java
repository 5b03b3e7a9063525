package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.FeedbackItem.Outcome;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.gating.Decision;
import dev.wukong.serving.retraining.MortalLearner.Doing;
import dev.wukong.serving.retraining.MortalLearner.Moment;
import dev.wukong.serving.testing.FailingStateStore;
import dev.wukong.serving.testing.FailingStateStore.Point;
import dev.wukong.serving.testing.Parts;
import dev.wukong.serving.testing.Served;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each point at which one process may die, what holds after it, and where that is tested. What a
 * test here compares is all that the store has: rows, what optimizers keep, dense weights, counts
 * of ids, lives of rows, what the join waits for, the gate, and the versions.
 *
 * <table>
 *   <caption>By what it died in</caption>
 *   <tr><td>a prediction was scored and not logged</td>
 *       <td>nobody was promised anything; feedback of it is refused and counted:
 *       {@link #scored_diesBeforeItIsLogged_itsFeedbackIsRefusedAndCounted}</td></tr>
 *   <tr><td>the write of the log was cut short</td>
 *       <td>all events of that write are absent: {@link #log_writeIsCut_hasAllBeforeAndNoneOfIt};
 *       by kills: {@code LogKillTest}</td></tr>
 *   <tr><td>a label was appended and not acknowledged</td>
 *       <td>the caller sends it again, it counts once:
 *       {@link #label_appendedAndNotAcknowledged_countsOnceWhenItIsSentAgain}</td></tr>
 *   <tr><td>a label was acknowledged and not joined</td>
 *       <td>it is read again, none is lost: {@link #label_diesBeforeItIsJoined_isJoined}; by kills:
 *       {@link CrashTrialTest}</td></tr>
 *   <tr><td>in a training step</td>
 *       <td>it is made again, to the same bytes: {@link #step_diesInIt_isMadeAgainToTheBit}; anywhere
 *       by chance: {@link LearnerTest#take_crashesAnywhere_isTheSameToTheBit}</td></tr>
 *   <tr><td>dense weights were written and rows were not</td>
 *       <td>that cannot be: they are in one write, and there are no files beside it:
 *       {@link #commit_syncedAndNotVisible_opensWithItAndNoNumberGoesBack} counts the writes</td></tr>
 *   <tr><td>inside the write of a commit</td>
 *       <td>all of it is absent: {@link #commit_writeIsCut_isAbsentAsAWhole}</td></tr>
 *   <tr><td>a commit was synced, and requests did not see it</td>
 *       <td>the next start has it, and no number is below one that was seen:
 *       {@link #commit_syncedAndNotVisible_opensWithItAndNoNumberGoesBack}</td></tr>
 *   <tr><td>a disk that fails or is full</td>
 *       <td>nothing is tried again, predictions go on: {@link FailedDiskTest}</td></tr>
 *   <tr><td>what was written is damaged</td>
 *       <td>the end of what was committed last: an earlier commit, and the rest is learned again:
 *       {@link #commit_logOfWritesIsDamaged_goesOnFromTheOneBefore}. Else an error that says so:
 *       {@link #files_damaged_areNeverReadAsSomethingElse}. The log is not opened: {@code
 *       RocksEventLogTest}. One piece of state: {@code StateFormsTest}</td></tr>
 *   <tr><td>in a promotion, in taking back, in the expiry of rows</td>
 *       <td>the same rows and the same decisions: {@link #commit_ofAKind_diesBeforeAndAfterItsWrite}
 *       </td></tr>
 * </table>
 *
 * <p>Points that only several processes have (deltas that were sent or not, a leader that was
 * paused, a follower that applies) are none of ours: one process trains what it serves.
 */
@TestInstance(Lifecycle.PER_CLASS)
class CrashPointsTest {
  private static final int WIDTH = 8;
  private static final int REQUESTS = 160;
  private static final long SEED = 4;

  private Bundle bundle = unopened();
  private List<Logged> log = List.of();
  private Map<String, String> expected = Map.of();

  @SuppressWarnings("NullAway") // Set before all tests.
  private static Bundle unopened() {
    return null;
  }

  @BeforeAll
  void learnOnce(@TempDir Path folder) throws Exception {
    bundle = Bundle.open(LearningModel.train(folder).resolve(LearningModel.NAME).resolve("1"));
    LearnerTrial trial = trial();
    log = trial.log(SEED, REQUESTS);
    expected = learned(trial, log);
    // Or there would be nothing to lose.
    assertThat(expected.keySet().stream().filter(key -> key.startsWith("row ")))
        .hasSizeGreaterThan(50);
  }

  @AfterAll
  void close() {
    bundle.close();
  }

  private LearnerTrial trial() {
    return new LearnerTrial(bundle, LearnerTrial.options());
  }

  /** All that one has who never dies. */
  private static Map<String, String> learned(LearnerTrial trial, List<Logged> log)
      throws IOException {
    try (HeapRowStore store = new HeapRowStore()) {
      int _ = trial.learn(store, log, 0, SEED);
      return LearnerTrial.state(store, WIDTH);
    }
  }

  private static Map<String, String> stored(Path folder) {
    try (RocksRowStore store = RocksRowStore.open(folder)) {
      return LearnerTrial.state(store, WIDTH);
    }
  }

  /** Learns all and dies so; how often that was. */
  private int live(Path folder, Predicate<Moment> dies) throws IOException {
    return new MortalLearner(trial(), log, folder, dies).live();
  }

  /** The first so many of those that fit, each a few after the one before. */
  private static Predicate<Moment> some(int most, int apart, Predicate<Moment> fit) {
    AtomicInteger fitting = new AtomicInteger();
    AtomicInteger died = new AtomicInteger();
    return moment -> {
      if (died.get() == most || !fit.test(moment) || fitting.getAndIncrement() % apart != 0) {
        return false;
      }
      died.incrementAndGet();
      return true;
    };
  }

  @Test
  void scored_diesBeforeItIsLogged_itsFeedbackIsRefusedAndCounted(@TempDir Path folder)
      throws Exception {
    List<Logged> few = trial().log(SEED, 20, false);
    int at = lastPredictionWithLabels(few);
    try (WrittenLog life = new WrittenLog(folder, few)) {
      writeAll(life, few.subList(0, at));
      life.fail(false);
      assertThat(life.write(few.get(at))).isInstanceOf(Outcome.Failed.class);
    }
    try (WrittenLog life = new WrittenLog(folder, few)) {
      assertThat(life.all()).hasSize(at);
      List<Logged> feedback = few.stream().filter(event -> isLabelOf(event, at)).toList();
      assertThat(feedback).isNotEmpty();
      for (Logged label : feedback) {
        assertThat(life.write(label)).isEqualTo(new Outcome.Unknown());
      }
      assertThat(life.refused("unknown")).isEqualTo(feedback.size());
      assertThat(life.all()).hasSize(at);
    }
  }

  private static boolean isLabelOf(Logged event, long scored) {
    return event.event() instanceof Event.Labelled label && label.scored() == scored;
  }

  private static int lastPredictionWithLabels(List<Logged> log) {
    return log.stream()
        .filter(event -> event.event() instanceof Event.Labelled)
        .mapToInt(event -> Math.toIntExact(((Event.Labelled) event.event()).scored()))
        .max()
        .orElseThrow();
  }

  private static void writeAll(WrittenLog life, List<Logged> events) throws InterruptedException {
    for (Logged event : events) {
      assertThat(life.write(event)).isInstanceOf(Outcome.Durable.class);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1})
  void log_writeIsCut_hasAllBeforeAndNoneOfIt(double part, @TempDir Path folder) throws Exception {
    List<Logged> few = trial().log(SEED, 3, false);
    int at = few.size() - 1;
    try (WrittenLog life = new WrittenLog(folder, few)) {
      writeAll(life, few.subList(0, at));
    }
    // Begins another file, so that the write is the only one there.
    try (WrittenLog life = new WrittenLog(folder, few)) {
      assertThat(life.write(few.get(at))).isInstanceOf(Outcome.Durable.class);
    }
    cut(folder, part);

    try (WrittenLog life = new WrittenLog(folder, few)) {
      assertThat(life.all()).hasSize(at);
      assertThat(life.write(few.get(at))).isEqualTo(new Outcome.Durable(at));
    }
  }

  /** Leaves this part of what was written last: 0, one byte of it, to 1, all but one byte. */
  private static void cut(Path folder, double part) throws IOException {
    Path written = lastWrites(folder);
    byte[] bytes = Files.readAllBytes(written);
    assertThat(bytes.length).isGreaterThan(2);
    byte[] left = new byte[1 + (int) (part * (bytes.length - 2))];
    System.arraycopy(bytes, 0, left, 0, left.length);
    Files.write(written, left);
  }

  /** RocksDB's log of writes since it was opened last. */
  private static Path lastWrites(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".log"))
          .max(Comparator.naturalOrder())
          .orElseThrow();
    }
  }

  @Test
  void label_appendedAndNotAcknowledged_countsOnceWhenItIsSentAgain(@TempDir Path folder)
      throws Exception {
    LearnerTrial once = trial();
    List<Logged> few = once.log(SEED, 120, false);
    int at = lastNewClick(few);
    List<Logged> twice;
    try (WrittenLog life = new WrittenLog(folder, few)) {
      writeAll(life, few.subList(0, at));
      life.fail(true);
      assertThat(life.write(few.get(at))).isInstanceOf(Outcome.Failed.class);
    }
    try (WrittenLog life = new WrittenLog(folder, few)) {
      assertThat(life.all()).hasSize(at + 1);
      writeAll(life, few.subList(at, few.size()));
      twice = life.all();
    }
    assertThat(twice).hasSize(few.size() + 1);
    LearnerTrial again = trial();

    Map<String, String> one = learned(once, few);
    Map<String, String> other = learned(again, twice);

    assertThat(rowsAndWeights(other)).isEqualTo(rowsAndWeights(one)).isNotEmpty();
    assertThat(duplicates(again)).isEqualTo(duplicates(once) + 1);
  }

  /** The last click that the log has for the first time, of a candidate that had been shown. */
  private static int lastNewClick(List<Logged> log) {
    return IntStream.range(0, log.size())
        .filter(
            i ->
                log.get(i).event() instanceof Event.Labelled label
                    && label.task().equals("click")
                    && log.subList(0, i).stream()
                        .anyMatch(
                            before ->
                                before.event() instanceof Event.Exposed of
                                    && of.scored() == label.scored())
                    && log.subList(0, i).stream().noneMatch(before -> before.event().equals(label)))
        .max()
        .orElseThrow();
  }

  private static double duplicates(LearnerTrial trial) {
    return trial.registry.find("wukong.join.labels").tag("outcome", "duplicate").counters().stream()
        .mapToDouble(counter -> counter.count())
        .sum();
  }

  /** Without what knows positions in the log, which are others. */
  private static Map<String, String> rowsAndWeights(Map<String, String> state) {
    Set<String> kinds =
        Set.of(
            "row",
            StateKind.OPTIMIZER.name(),
            StateKind.DENSE.name(),
            StateKind.LIFE.name(),
            StateKind.SIGHTS_EVEN.name(),
            StateKind.SIGHTS_ODD.name());
    Map<String, String> of = new TreeMap<>(state);
    of.keySet().removeIf(key -> !kinds.contains(key.substring(0, key.indexOf(' ') + 1).strip()));
    return of;
  }

  @Test
  void label_diesBeforeItIsJoined_isJoined(@TempDir Path folder) throws Exception {
    int died =
        live(
            folder,
            some(
                4,
                20,
                moment ->
                    moment.doing() == Doing.TAKES
                        && moment.event().event() instanceof Event.Labelled));

    assertThat(died).isEqualTo(4);
    assertThat(stored(folder)).isEqualTo(expected);
  }

  @Test
  void step_diesInIt_isMadeAgainToTheBit(@TempDir Path folder) throws Exception {
    int died = live(folder, some(4, 7, moment -> moment.doing() == Doing.STEPS));

    assertThat(died).isEqualTo(4);
    assertThat(stored(folder)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1})
  void commit_writeIsCut_isAbsentAsAWhole(double part, @TempDir Path folder) throws Exception {
    Map<String, String> before = diedAfterACommit(folder, 1);
    cut(folder, part);

    assertThat(stored(folder)).isEqualTo(before);

    assertThat(live(folder, _ -> false)).isZero();
    assertThat(stored(folder)).isEqualTo(expected);
  }

  /**
   * Some commits, and the last so many of them the only ones in RocksDB's log of writes; what was
   * stored before these. The first of them has rows that become visible, beside all else.
   */
  private Map<String, String> diedAfterACommit(Path folder, int last) throws IOException {
    AtomicInteger commits = new AtomicInteger();
    AtomicInteger written = new AtomicInteger();
    MortalLearner learner =
        new MortalLearner(
            trial(),
            log,
            folder,
            moment ->
                switch (moment.doing()) {
                  case WRITES -> commits.incrementAndGet() > 5 && showsRows(moment);
                  case HAS_WRITTEN -> commits.get() < 0 && written.incrementAndGet() == last;
                  case TAKES, STEPS -> false;
                });
    assertThat(learner.liveOnce()).isFalse();
    Map<String, String> before = stored(folder);
    commits.set(Integer.MIN_VALUE);
    written.set(0);
    assertThat(learner.liveOnce()).isFalse();
    return before;
  }

  private static boolean showsRows(Moment moment) {
    Learner.Made made = moment.made();
    return made != null
        && made.commit().rows().stream().anyMatch(changes -> changes.keys().length > 0);
  }

  @Test
  void commit_logOfWritesIsDamaged_goesOnFromTheOneBefore(@TempDir Path folder) throws Exception {
    Map<String, String> before = diedAfterACommit(folder, 4);
    Path written = lastWrites(folder);
    byte[] bytes = Files.readAllBytes(written);
    bytes[bytes.length / 2] ^= 1;
    Files.write(written, bytes);

    long version = Long.parseLong(stored(folder).getOrDefault("version", ""));

    long first = Long.parseLong(before.getOrDefault("version", ""));
    assertThat(version).isBetween(first, first + 3);
    assertThat(live(folder, _ -> false)).isZero();
    assertThat(stored(folder)).isEqualTo(expected);
  }

  /** Whichever file it is, and whatever of it. */
  @Test
  void files_damaged_areNeverReadAsSomethingElse(@TempDir Path folder) throws Exception {
    assertThat(live(folder, _ -> false)).isZero();
    assertThat(stored(folder)).isEqualTo(expected); // Opened once more, it is all in files.
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(file -> file.toString().endsWith(".sst")).toList();
    }
    List<String> errors = new ArrayList<>();
    for (Path file : files) {
      byte[] whole = Files.readAllBytes(file);
      byte[] damaged = whole.clone();
      damaged[whole.length / 3] ^= 1;
      Files.write(file, damaged);
      try {
        assertThat(stored(folder)).isEqualTo(expected);
      } catch (StoreException e) {
        errors.add(e.getMessage());
      }
      Files.write(file, whole);
    }

    assertThat(errors).isNotEmpty().allSatisfy(of -> assertThat(of).contains("checksum mismatch"));
    assertThat(stored(folder)).isEqualTo(expected);
  }

  @Test
  void commit_syncedAndNotVisible_opensWithItAndNoNumberGoesBack(@TempDir Path folder)
      throws Exception {
    Path bundles = LearningModel.train(folder);
    AtomicInteger writes = new AtomicInteger();
    AtomicBoolean dies = new AtomicBoolean();
    Parts parts =
        new Parts()
            .with(
                RowStore.class,
                own ->
                    new FailingStateStore(
                        (StateStore) own,
                        point -> {
                          if (point == Point.WRITTEN) {
                            writes.incrementAndGet();
                            if (dies.get()) {
                              throw new StoreException("it dies here", null);
                            }
                          }
                        }));
    ModelVersion seen;
    float[] probabilities;
    try (LearningService service = LearningService.start(bundles, parts, 1)) {
      service.click(0, 3, 2);
      service.awaitExamples(2 * LearningService.EXAMPLES);
      Served.await("all is committed", () -> service.trainer().lag() == 0);
      dies.set(true);
      int before = writes.get();
      assertThat(commits(service)).isEqualTo(before); // Each is one write, of all.
      service.click(0, 3, 1);
      Served.await(
          "it is written", () -> service.trainer().status().phase() == OnlineTrainer.Phase.HALTED);
      assertThat(writes.get()).isEqualTo(before + 1);
      seen = service.predict(0).response().getVersion();
      probabilities = service.predict(0).probabilities();
    }
    try (LearningService service = LearningService.start(bundles, 1)) {
      ModelVersion opened = service.predict(0).response().getVersion();
      assertThat(opened.getDense()).isEqualTo(seen.getDense() + 1);
      assertThat(opened.getRows()).isEqualTo(seen.getRows() + 1);
      assertThat(opened.getEpoch()).isEqualTo(seen.getEpoch());
      assertThat(service.predict(0).probabilities()).isNotEqualTo(probabilities);
      service.awaitExamples(3 * LearningService.EXAMPLES);
      service.click(0, 3, 1);
      service.awaitExamples(4 * LearningService.EXAMPLES);
      ModelVersion next = service.predict(0).response().getVersion();
      assertThat(next.getDense()).isGreaterThan(opened.getDense());
      assertThat(next.getEpoch()).isGreaterThan(opened.getEpoch());
    }
  }

  private static double commits(LearningService service) {
    return service.served().bean(MeterRegistry.class).get("wukong.online.commit").timer().count();
  }

  /** What a commit may be. */
  enum Kind {
    PROMOTION,
    TAKING_BACK,
    EXPIRY;

    boolean is(Learner.Made made) {
      return switch (this) {
        case PROMOTION -> made.decision() instanceof Decision.Promote;
        case TAKING_BACK -> made.decision() instanceof Decision.TakeBack;
        case EXPIRY -> made.commit().rows().stream().anyMatch(of -> of.removed().length > 0);
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void commit_ofAKind_diesBeforeAndAfterItsWrite(Kind kind, @TempDir Path folder) throws Exception {
    List<Doing> died = new ArrayList<>();
    int deaths =
        live(
            folder,
            moment -> {
              Learner.Made made = moment.made();
              boolean dies = died.size() < 4 && made != null && kind.is(made);
              if (dies) {
                died.add(moment.doing());
              }
              return dies;
            });

    assertThat(deaths).isPositive();
    assertThat(died).contains(Doing.WRITES, Doing.HAS_WRITTEN);
    assertThat(stored(folder)).isEqualTo(expected);
  }
}
