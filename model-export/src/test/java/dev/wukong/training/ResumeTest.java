package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An interrupted training that goes on ends as one that was never interrupted, bit by bit. */
class ResumeTest {
  private static final long MILLISECOND = 1_000_000;

  /** Rates so high that the second epoch brings no gain: the third goes on from the first. */
  private static final String RESTORING =
      SmallTraining.TOUCHED
          .replace("learning_rate: 0.005", "learning_rate: 0.1")
          .replace("{stop_after: 0}", "{stop_after: 0, measure: log_loss, restore: true}");

  @TempDir private Path folder = Path.of("");
  private SmallTraining small;

  @BeforeEach
  void data() {
    small = new SmallTraining(folder, 1);
  }

  @AfterEach
  void close() {
    small.close();
  }

  /** A run of a training in a session of its own, which may end early; its clock ticks by steps. */
  private final class RunOnce implements Trainer.Listener {
    final Path work;
    final String training;
    final boolean validated;

    /** Steps after which the listener throws, and after which a stop is asked for. */
    int throwAfter = Integer.MAX_VALUE;

    int stopAfter = Integer.MAX_VALUE;
    int steps;
    final List<String> heard = new ArrayList<>();
    final List<Trainer.Epoch> epochs = new ArrayList<>();
    Map<String, IntBuffer> state = Map.of();

    RunOnce(String work, String training, boolean validated) {
      this.work = folder.resolve(work);
      this.training = training;
      this.validated = validated;
    }

    boolean run() throws IOException {
      AtomicLong now = new AtomicLong();
      try (TrainSession session = small.session(SmallTraining.MODEL, training)) {
        boolean ended =
            new Trainer(
                    session,
                    small.train,
                    validated ? Optional.of(small.valid) : Optional.empty(),
                    work,
                    () -> now.addAndGet(MILLISECOND),
                    () -> steps >= stopAfter)
                .run(this);
        state = SmallTraining.state(session);
        return ended;
      }
    }

    @Override
    public void progress(int epoch, long rows, long of, double loss) {
      if (++steps == throwAfter) {
        throw new IllegalStateException("crash");
      }
    }

    @Override
    public void epoch(Trainer.Epoch epoch) {
      epochs.add(epoch);
    }

    @Override
    public void resumed(int epochs, long rows, long of) {
      heard.add("resumed " + epochs + " " + rows);
    }

    @Override
    public void stopped(int epochs, long rows, long of) {
      heard.add("stopped " + epochs + " " + rows);
    }
  }

  private RunOnce uninterrupted(String training, boolean validated) throws IOException {
    RunOnce whole = new RunOnce("whole", training, validated);
    assertThat(whole.run()).isTrue();
    assertThat(whole.steps).isEqualTo(3 * SmallTraining.STEPS);
    return whole;
  }

  private static void assertSame(RunOnce resumed, RunOnce whole) {
    assertThat(resumed.state.keySet()).isEqualTo(whole.state.keySet());
    whole.state.forEach(
        (name, bits) -> assertThat(resumed.state.get(name)).as(name).isEqualTo(bits));
  }

  static Stream<Arguments> trainings() {
    return Stream.of(
        Arguments.of("touched", SmallTraining.TOUCHED, true),
        Arguments.of("touched", SmallTraining.TOUCHED, false),
        Arguments.of("restoring", RESTORING, true),
        Arguments.of("whole table", SmallTraining.WHOLE_TABLE, true),
        Arguments.of("whole table", SmallTraining.WHOLE_TABLE, false));
  }

  @ParameterizedTest(name = "{0}, validated: {2}")
  @MethodSource("trainings")
  void run_stoppedAfterAnySteps_endsAsUninterrupted(String name, String training, boolean validated)
      throws IOException {
    RunOnce whole = uninterrupted(training, validated);
    assertThat(training.equals(RESTORING) && whole.epochs.get(1).best()).isFalse();
    // After the first step, before and after the short last minibatch, and within the last epoch.
    int[] pieces = {1, 8, 1, 2, 8, 3};
    String[] places = {
      "0 64", "0 576", validated ? "0 600" : "1 0", "1 128", validated ? "1 600" : "2 0", "2 192"
    };
    for (int i = 0; i < pieces.length; i++) {
      RunOnce piece = new RunOnce("pieces", training, validated);
      piece.stopAfter = pieces[i];
      assertThat(piece.run()).isFalse();
      assertThat(piece.steps).isEqualTo(pieces[i]);
      assertThat(piece.heard.getLast()).isEqualTo("stopped " + places[i]);
      if (i > 0) {
        assertThat(piece.heard.getFirst()).isEqualTo("resumed " + places[i - 1]);
      }
      // With validation the best epoch's state stays, which may be where a piece ends.
      assertThat(!validated && piece.state.equals(whole.state)).isFalse();
    }
    RunOnce rest = new RunOnce("pieces", training, validated);
    assertThat(rest.run()).isTrue();
    assertThat(rest.steps).isEqualTo(7);
    assertSame(rest, whole);
    // The epoch's loss and figures count what was done before.
    assertThat(rest.epochs.getLast().loss()).isEqualTo(whole.epochs.getLast().loss());
    assertThat(rest.epochs.getLast().validation()).isEqualTo(whole.epochs.getLast().validation());
  }

  @ParameterizedTest
  @ValueSource(strings = {SmallTraining.TOUCHED, SmallTraining.WHOLE_TABLE})
  void run_crashed_goesOnAfterTheLastCheckpoint(String training) throws IOException {
    RunOnce whole = uninterrupted(training, false);
    // A checkpoint every third step of an epoch: the crash in step 8 loses two steps.
    RunOnce crashed = new RunOnce("crashed", training, false);
    crashed.throwAfter = 8;
    assertThatThrownBy(crashed::run).hasMessage("crash");
    RunOnce again = new RunOnce("crashed", training, false);
    again.throwAfter = 19;
    assertThatThrownBy(again::run).hasMessage("crash");
    assertThat(again.heard).containsExactly("resumed 0 384");
    RunOnce rest = new RunOnce("crashed", training, false);
    assertThat(rest.run()).isTrue();
    // 6 steps were safe, and 18 more were heard of: epoch 2, then 4 steps, 3 of them safe.
    assertThat(rest.heard).containsExactly("resumed 2 192");
    assertThat(rest.steps).isEqualTo(7);
    assertSame(rest, whole);
  }

  @Test
  void run_checkpointsOff_goesOnAfterTheLastWholeEpoch() throws IOException {
    String training = SmallTraining.TOUCHED.replace("checkpoint_every: 3ms", "checkpoint_every: 0");
    RunOnce crashed = new RunOnce("off", training, false);
    crashed.throwAfter = 19;
    assertThatThrownBy(crashed::run).hasMessage("crash");
    RunOnce rest = new RunOnce("off", training, false);
    assertThat(rest.run()).isTrue();
    assertThat(rest.heard).containsExactly("resumed 1 0");
    assertSame(rest, uninterrupted(SmallTraining.TOUCHED, false));
  }

  @Test
  void run_moreEpochs_goesOn() throws IOException {
    RunOnce first =
        new RunOnce("more", SmallTraining.TOUCHED.replace("epochs: 3", "epochs: 1"), false);
    assertThat(first.run()).isTrue();
    RunOnce more = new RunOnce("more", SmallTraining.TOUCHED, false);
    assertThat(more.run()).isTrue();
    assertThat(more.heard).containsExactly("resumed 1 0");
    assertSame(more, uninterrupted(SmallTraining.TOUCHED, false));
    RunOnce again = new RunOnce("more", SmallTraining.TOUCHED, false);
    assertThat(again.run()).isTrue();
    assertThat(again.steps).isZero();
    assertSame(again, more);
  }

  /** The last epoch's state is not the best one's, and must not be exported in its place. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void run_bestCheckpointRemoved_isRefusedWithBothToRemove(int epochs) throws IOException {
    String training = SmallTraining.TOUCHED.replace("epochs: 3", "epochs: " + epochs);
    assertThat(new RunOnce("removed", training, true).run()).isTrue();
    Path best = folder.resolve("removed/best.checkpoint");
    Files.delete(best);
    RunOnce again = new RunOnce("removed", SmallTraining.TOUCHED, true);
    assertThatThrownBy(again::run)
        .isInstanceOf(IOException.class)
        .hasMessage(
            best
                + " is missing, and with it the best epoch's state; remove last.checkpoint, too,"
                + " to start afresh");
    assertThat(again.steps).isZero();
    Files.delete(folder.resolve("removed/last.checkpoint"));
    RunOnce afresh = new RunOnce("removed", SmallTraining.TOUCHED, true);
    assertThat(afresh.run()).isTrue();
    assertSame(afresh, uninterrupted(SmallTraining.TOUCHED, true));
  }

  /** Nobody would read the best epoch's state. */
  @Test
  void run_withoutValidationData_keepsTheLastStateOnly() throws IOException {
    RunOnce whole = uninterrupted(SmallTraining.TOUCHED, false);
    assertThat(whole.epochs).anyMatch(Trainer.Epoch::best);
    assertThat(whole.work.resolve("last.checkpoint")).exists();
    assertThat(whole.work.resolve("best.checkpoint")).doesNotExist();
    RunOnce validated = new RunOnce("validated", SmallTraining.TOUCHED, true);
    assertThat(validated.run()).isTrue();
    assertThat(validated.work.resolve("best.checkpoint")).exists();
  }

  /** A process that is killed while it writes leaves the file beside, and the one before it. */
  @Test
  void run_killedWhileWriting_goesOnAfterTheCheckpointBefore() throws IOException {
    RunOnce stopped = new RunOnce("killed", SmallTraining.TOUCHED, false);
    stopped.stopAfter = 4;
    assertThat(stopped.run()).isFalse();
    Path last = stopped.work.resolve("last.checkpoint");
    byte[] half = java.util.Arrays.copyOf(Files.readAllBytes(last), (int) Files.size(last) / 2);
    Files.write(stopped.work.resolve("last.checkpoint.part"), half);
    RunOnce rest = new RunOnce("killed", SmallTraining.TOUCHED, false);
    assertThat(rest.run()).isTrue();
    assertSame(rest, uninterrupted(SmallTraining.TOUCHED, false));
    assertThat(stopped.work.resolve("last.checkpoint.part")).doesNotExist();
  }
}
