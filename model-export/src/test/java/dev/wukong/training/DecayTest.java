package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Shuffle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Learning rates that fall over the whole training, against the loop written out. */
class DecayTest {
  private static final int BATCH = 64;
  private static final int EPOCHS = 3;

  @TempDir Path folder;

  @Test
  void run_linearDecay_isTheLoopWithRatesThatFallByRows() throws IOException {
    String training = SmallTraining.TOUCHED + "decay: linear\n";
    try (SmallTraining small = new SmallTraining(folder, 3);
        TrainSession trained = small.session(SmallTraining.MODEL, training);
        TrainSession plain = small.session(SmallTraining.MODEL, SmallTraining.TOUCHED);
        TrainSession constant = small.session(SmallTraining.MODEL, SmallTraining.TOUCHED)) {
      run(small, trained, "falling");
      run(small, constant, "constant");
      double done = 0;
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        Shuffle shuffle = Shuffle.of(small.train.rows(), plain.config().seed(), epoch);
        for (long at = 0; at < small.train.rows(); at += BATCH) {
          long[] indices = new long[BATCH];
          int count = shuffle.fill(at, indices);
          EncodedExamples batch = small.train.batch(indices, 0, count, small.train.allocate(BATCH));
          plain.step(batch, 1 - done / (EPOCHS * (double) SmallTraining.ROWS));
          done += count;
        }
      }
      assertThat(SmallTraining.state(trained)).isEqualTo(SmallTraining.state(plain));
      assertThat(SmallTraining.state(trained)).isNotEqualTo(SmallTraining.state(constant));
    }
  }

  private void run(SmallTraining small, TrainSession session, String work) throws IOException {
    new Trainer(
            session,
            small.train,
            Optional.empty(),
            folder.resolve(work),
            System::nanoTime,
            () -> false)
        .run(new PlateauTest.Epochs(new ArrayList<>()));
  }
}
