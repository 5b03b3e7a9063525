package dev.wukong.serving.retraining;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.springframework.util.FileSystemUtils;

/** Whether a learning process that is killed again and again loses or doubles anything. */
public final class CrashBenchmark implements Benchmark {
  @Override
  public String name() {
    return "crash";
  }

  @Override
  public String summary() {
    return "kill -9 of a process that serves and learns, under load; what it acknowledged beside"
        + " its log, what it learned beside a learner that was never killed; 15 minutes;"
        + " options kills=N, seed=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(CrashWorker.EARLY, CrashWorker.APART);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int kills = Math.toIntExact(context.option("kills", 300));
    long seed = context.option("seed", 1);
    String bug = bugs().stream().filter(context::planted).findFirst().orElse("");
    Path folder = Files.createTempDirectory(context.makeParts(), "crash");
    boolean keeps = true; // What went wrong is to be looked at.
    try {
      CrashTrial.Outcome outcome = new CrashTrial(folder, seed, bug).run(kills);
      keeps = outcome.lost() + outcome.again() + outcome.differences() > 0;
      return List.of(
          Figure.of(
              "kills",
              outcome.kills(),
              "1",
              ">=300",
              "SIGKILL of the process, not of power; %d before it served"
                  .formatted(outcome.early())),
          Figure.of(
              "acknowledged",
              (double) outcome.acknowledged(),
              "1",
              "-",
              "labels; the log has %d events of all kinds".formatted(outcome.logged())),
          Figure.of("lost", (double) outcome.lost(), "1", "<=0", "acknowledged and not in the log"),
          Figure.of(
              "doubled",
              (double) outcome.again(),
              "1",
              "<=0",
              "examples learned from more or less often than by one who was never killed, of %d"
                  .formatted(outcome.examples())),
          Figure.of(
              "hash_mismatch",
              (double) outcome.differences(),
              "1",
              "<=0",
              "rows, optimizer state, dense weights, counters, join and place in the log that"
                  + " differ from one who was never killed; first: "
                  + outcome.first()
                  + (keeps ? "; kept in " + folder : "")));
    } finally {
      boolean _ = !keeps && FileSystemUtils.deleteRecursively(folder);
    }
  }
}
