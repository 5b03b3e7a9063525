package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A few kills of many; the benchmark {@code crash} does hundreds. */
class CrashTrialTest {
  @Test
  void run_killedNowAndThen_losesAndDoublesNothing(@TempDir Path folder) throws Exception {
    CrashTrial.Outcome outcome = new CrashTrial(folder, 11, "").run(6);

    assertThat(outcome.acknowledged()).isPositive();
    assertThat(outcome.examples()).isPositive();
    assertThat(outcome.lost()).isZero();
    assertThat(outcome.again()).isZero();
    assertThat(outcome.differences()).as(outcome.first()).isZero();
  }

  @Test
  void run_joinsPlaceNotInTheCommit_isFound(@TempDir Path folder) throws Exception {
    CrashTrial.Outcome outcome = new CrashTrial(folder, 12, CrashWorker.APART).run(10);

    assertThat(outcome.differences()).isPositive();
  }
}
