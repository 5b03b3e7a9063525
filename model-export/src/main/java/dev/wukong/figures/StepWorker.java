package dev.wukong.figures;

import dev.wukong.data.EncodedExamples;
import dev.wukong.runtime.Device;
import dev.wukong.training.TrainSession;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Our side of {@code train-step}, a process of its own that makes steps when it is told to. A line
 * {@code losses N} makes N steps and answers with their losses; {@code run N} answers with the
 * milliseconds of each.
 */
public final class StepWorker {
  private static final int BATCHES = 8;
  private static final long SEED = 2021;

  private final TrainSession session;
  private final List<EncodedExamples> batches;
  private int next;

  private StepWorker(TrainSession session, List<EncodedExamples> batches) {
    this.session = session;
    this.batches = batches;
  }

  /**
   * Started by the benchmark.
   *
   * @param args the size's name, and the file to write for the other side
   */
  public static void main(String[] args) throws IOException {
    StepSize size = StepSize.valueOf(args[0]);
    List<EncodedExamples> batches = StepBatches.of(size, BATCHES, SEED);
    try (TrainSession session =
        new TrainSession(
            size.model(),
            size.model().layout(size.schema()),
            size.training(),
            new Device.Cpu(),
            space -> StepSize.VOCABULARY)) {
      StepFile.write(Path.of(args[1]), size, session, batches);
      new StepWorker(session, batches).serve(System.out);
    }
  }

  private void serve(PrintStream out) throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    out.println("ready");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ", -1);
      StringBuilder answer = new StringBuilder();
      for (int i = 0; i < Integer.parseInt(words[1]); i++) {
        long start = System.nanoTime();
        float loss = session.step(batches.get(next++ % batches.size()), 1).loss();
        double milliseconds = (System.nanoTime() - start) / 1e6;
        answer
            .append(i == 0 ? "" : " ")
            .append(
                words[0].equals("losses")
                    ? String.valueOf(loss)
                    : String.format(Locale.ROOT, "%.4f", milliseconds));
      }
      out.println(answer);
    }
  }
}
