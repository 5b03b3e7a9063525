package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.config.ConfigException;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rows that stay on the device against rows that come and go: the same graph on the same numbers,
 * so that all is equal to the last bit.
 */
class ResidentRowsTest {
  private static final RankerConfig MODEL = GraphStepperTest.model("{hidden: [16]}");
  private static final InputLayout LAYOUT = MODEL.layout(GraphStepperTest.SCHEMA);
  private static final int BATCH = 16;

  /** A session, its rows, and the device that it believes in. */
  private record Trained(TrainSession session, TouchedRows rows, RecordingDevice device)
      implements AutoCloseable {
    @Override
    public void close() {
      session.close();
      assertThat(device.held).isZero();
    }
  }

  private static Trained trained(String rowsIn, String optimizer, RowOrigin origin) {
    return trained(rowsIn, optimizer, origin, new RecordingDevice(RecordingDevice.Replay.ALL));
  }

  private static Trained trained(
      String rowsIn, String optimizer, RowOrigin origin, RecordingDevice device) {
    TrainingConfig read =
        TrainingConfig.read(
            TrainSessionTest.yaml(
                """
                batch: %d
                threads: 3
                optimizer_in: device
                rows_in: %s
                steps_per_run: 3
                """
                    .formatted(BATCH, rowsIn)));
    OptimizerConfig ofRows =
        OptimizerConfig.read(
            TrainSessionTest.yaml("{optimizer: %s, learning_rate: 0.1}".formatted(optimizer)),
            List.of(optimizer));
    TrainingConfig config =
        new TrainingConfig(
            read.batch(),
            read.epochs(),
            read.seed(),
            read.threads(),
            read.dense(),
            new TrainingConfig.RowsConfig(TrainingConfig.RowMode.TOUCHED, ofRows, 0),
            read.clipNorm(),
            read.warmUp(),
            read.decay(),
            read.plateau(),
            read.checkpointEvery(),
            read.steps());
    List<TouchedRows> made = new ArrayList<>();
    TrainSession session =
        new TrainSession(
            MODEL,
            LAYOUT,
            config,
            new Device.Cpu(),
            (_, workers) -> {
              made.add(new TouchedRows(LAYOUT, ofRows, origin, workers));
              return made.getFirst();
            },
            Optional.empty(),
            TrainSession.Purpose.TRAINS,
            _ -> device);
    return new Trained(session, made.getFirst(), device);
  }

  /** Rows by key, as the commits of a log keep them; every seventh id has none. */
  private static final class Kept implements RowOrigin {
    final Map<Long, float[][]> rows = new HashMap<>();

    @Override
    public void load(int width, long[] keys, int[] times, boolean create, Receiver to) {
      for (int i = 0; i < keys.length; i++) {
        float[][] own = rows.get(keys[i]);
        if (own != null) {
          to.row(i, own[0], own[1]);
        } else if (create && RowKey.id(keys[i]) % 7 != 6) {
          float[] row = new float[width];
          SplittableRandom random = new SplittableRandom(keys[i]);
          for (int k = 0; k < width; k++) {
            row[k] = (float) random.nextDouble(-0.5, 0.5);
          }
          to.row(i, row, new float[0]);
        }
      }
    }

    @Override
    public float[] defaultRow(int table) {
      float[] row = new float[LAYOUT.tables().get(table).width()];
      Arrays.fill(row, 0.25f);
      return row;
    }
  }

  /** Examples whose ids are below {@code ids}; where {@code all}, each of them has a row. */
  private static EncodedExamples examples(int rows, int ids, boolean all, SplittableRandom random) {
    float[] labels = new float[rows * 2];
    float[] weights = new float[rows * 2];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = random.nextInt(2);
      weights[i] = 1;
    }
    return new EncodedExamples(
        new EncodedRows(rows, ids(rows * 5, ids, all, random), ones(rows * 5), new float[0]),
        new EncodedRows(rows, ids(rows * 4, ids, all, random), new float[0], new float[rows * 3]),
        labels,
        weights);
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static long[] ids(int count, int ids, boolean all, SplittableRandom random) {
    long[] result = new long[count];
    for (int i = 0; i < count; i++) {
      long id = RowKey.FIRST + random.nextInt(ids);
      result[i] = all && id % 7 == 6 ? id + 1 : id;
    }
    return result;
  }

  /** Everything that a commit would write of the rows. */
  private static Map<Long, String> changed(Trained trained, Kept origin) {
    Map<Long, String> all = new TreeMap<>();
    for (int group = 0; group < LAYOUT.groups().size(); group++) {
      ChangedRows of = trained.rows().changed(group);
      for (int i = 0; i < of.keys().length; i++) {
        float[] row = Arrays.copyOfRange(of.rows(), i * of.width(), (i + 1) * of.width());
        int width = of.stateWidth();
        float[] state = Arrays.copyOfRange(of.states(), i * width, (i + 1) * width);
        origin.rows.put(of.keys()[i], new float[][] {row, state});
        all.put(of.keys()[i], Arrays.toString(row) + Arrays.toString(state));
      }
    }
    return all;
  }

  private static void same(Trained here, Trained there, EncodedExamples examples) {
    same(here.session().steps(examples, 1), there.session().steps(examples, 1));
  }

  /** What a server's life is made of, in some order. */
  @ParameterizedTest
  @CsvSource({"row_wise_adagrad, 1", "adam, 2", "sgd, 3"})
  void whateverIsDone_rowsAreAsIfTheyHadStayedHome(String optimizer, long seed) {
    Kept first = new Kept();
    Kept second = new Kept();
    try (Trained home = trained("host", optimizer, first);
        Trained away = trained("device", optimizer, second)) {
      SplittableRandom random = new SplittableRandom(seed);
      for (int round = 0; round < 30; round++) {
        int ids = 10 + round * 6;
        switch (random.nextInt(8)) {
          case 0 -> {
            EncodedExamples scored = examples(9, ids, false, random);
            assertThat(away.session().score(scored)).isEqualTo(home.session().score(scored));
          }
          case 1 -> assertThat(changed(away, second)).isEqualTo(changed(home, first));
          case 2 -> {
            long key = RowKey.of(random.nextInt(3), RowKey.FIRST + random.nextInt(ids));
            home.rows().forget(key);
            away.rows().forget(key);
          }
          case 3 -> {
            if (random.nextInt(3) == 0) {
              home.rows().forget();
              away.rows().forget();
            }
          }
          default -> {
            boolean all = random.nextInt(4) > 0;
            same(home, away, examples(BATCH * 3 + 5, ids, all, random));
          }
        }
      }
      assertThat(changed(away, second)).isEqualTo(changed(home, first));
      assertThat(first.rows).hasSizeGreaterThan(100);
      same(home, away, examples(BATCH * 3, 50, true, random));
      Map<String, double[]> everything = GraphStepperTest.everything(home.session());
      GraphStepperTest.everything(away.session())
          .forEach((name, values) -> assertThat(values).as(name).isEqualTo(everything.get(name)));
    }
  }

  @Test
  void rowsOfALossThatIsNoNumber_areAsBefore() {
    Kept first = new Kept();
    try (Trained away = trained("device", "adam", first)) {
      SplittableRandom random = new SplittableRandom(5);
      EncodedExamples good = examples(BATCH * 2, 30, true, random);
      away.session().steps(good, 1);
      Map<Long, String> before = changed(away, first);
      EncodedExamples bad =
          new EncodedExamples(
              good.context(), good.candidate(), good.labels().clone(), good.labelWeights());
      bad.labels()[BATCH * 2] = Float.NaN;
      assertThatThrownBy(() -> away.session().steps(bad, 1)).isInstanceOf(NotFiniteException.class);
      assertThat(changed(away, first)).isEmpty();
      away.rows().forEach((_, _, row, _) -> assertThat(row).doesNotContain(Float.NaN));
      assertThat(before).isNotEmpty();
      away.session().steps(good, 1);
      assertThat(changed(away, first)).hasSameSizeAs(before);
    }
  }

  /** A device that is full from the start, and one that says it is not and then is. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whereThereIsNoRoom_rowsComeAndGo(boolean honest) {
    Kept first = new Kept();
    Kept second = new Kept();
    try (Trained home = trained("host", "adam", first);
        Trained away = trained("device", "adam", second)) {
      SplittableRandom random = new SplittableRandom(6);
      same(home, away, examples(BATCH * 3, 10, true, random));
      int before = away.device().buffers();
      if (honest) {
        away.device().free = 1000;
      } else {
        away.device().most = 40_000;
      }
      for (int i = 0; i < 3; i++) {
        same(home, away, examples(BATCH * 3, 400, true, random));
      }
      assertThat(away.device().buffers()).isLessThan(before);
      assertThat(changed(away, second)).isEqualTo(changed(home, first));
    }
  }

  /** Each of all allocations fails once, in some session: nothing stays taken, no step is wrong. */
  @ParameterizedTest
  @ValueSource(strings = {"host", "device"})
  void whereAnAllocationFails_nothingStaysTaken_andTheStepCanBeMadeAgain(String rowsIn) {
    SplittableRandom random = new SplittableRandom(7);
    EncodedExamples few = examples(BATCH, 10, true, random);
    EncodedExamples many = examples(BATCH * 3, 200, true, random);
    List<List<TrainSession.Step>> expected;
    try (Trained right = trained(rowsIn, "adam", new Kept())) {
      expected = List.of(right.session().steps(few, 1), right.session().steps(many, 1));
    }
    int failures = 0;
    boolean met = true;
    for (int lasting = 0; met; lasting += 3) {
      RecordingDevice device = new RecordingDevice(RecordingDevice.Replay.ALL);
      device.lasting = lasting;
      try (Trained worn = trained(rowsIn, "adam", new Kept(), device)) {
        same(expected.get(0), again(worn, few));
        same(expected.get(1), again(worn, many));
        met = device.failed;
      } catch (DeviceException e) { // The session was not to be had.
        assertThat(device.held).isZero();
      }
      failures += met ? 1 : 0;
    }
    assertThat(failures).isGreaterThan(20);
  }

  private static List<TrainSession.Step> again(Trained worn, EncodedExamples examples) {
    try {
      return worn.session().steps(examples, 1);
    } catch (DeviceException e) {
      return worn.session().steps(examples, 1);
    }
  }

  private static void same(List<TrainSession.Step> expected, List<TrainSession.Step> got) {
    for (int i = 0; i < expected.size(); i++) {
      assertThat(got.get(i).loss()).isEqualTo(expected.get(i).loss());
      assertThat(got.get(i).probabilities()).isEqualTo(expected.get(i).probabilities());
    }
  }

  @Test
  void roomStaysWhileBlocksAreAboutAsLarge() {
    long room = DeviceStepper.room(1000, 0);
    assertThat(room).isEqualTo(1024);
    for (int rows : new int[] {1024, 1023, 1000, 900, 800, 769}) {
      assertThat(DeviceStepper.room(rows, room)).as("%d rows", rows).isEqualTo(room);
    }
    assertThat(DeviceStepper.room(1025, room)).isEqualTo(1152);
    assertThat(DeviceStepper.room(768, room)).isEqualTo(768);
    assertThat(DeviceStepper.room(1, room)).isEqualTo(64);
    for (int rows = 1; rows < 5000; rows++) {
      assertThat(DeviceStepper.room(rows, 0)).isBetween((long) rows, rows + rows / 8L + 64);
    }
  }

  @Test
  void settingsThatContradict_areNamed() {
    for (String place : List.of("auto", "graph", "host")) {
      TrainingConfig config = read("optimizer_in: " + place + "\nrows_in: device");
      assertThatThrownBy(() -> TrainSession.check(LAYOUT, config, new Device.Cpu()))
          .isInstanceOf(ConfigException.class)
          .hasMessage(
              "training.rows_in is device, want auto or host where optimizer_in is not device");
    }
    assertThatThrownBy(
            () -> read("optimizer_in: device\nrows_in: device\nrows: {mode: whole_table}"))
        .isInstanceOf(ConfigException.class)
        .hasMessage("test.rows_in is device, want auto or host with rows.mode whole_table");
    StepsConfig auto = read("{}").steps();
    assertThat(auto.rowsOnDevice(new Device.Cuda(0))).isTrue();
    assertThat(auto.rowsOnDevice(new Device.Cpu())).isFalse();
    assertThat(read("rows_in: host").steps().rowsOnDevice(new Device.Cuda(0))).isFalse();
  }

  private static TrainingConfig read(String yaml) {
    return TrainingConfig.read(TrainSessionTest.yaml(yaml));
  }
}
