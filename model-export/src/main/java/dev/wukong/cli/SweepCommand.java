package dev.wukong.cli;

import dev.wukong.study.Kind;
import picocli.CommandLine.Command;

/** {@code sweep}. */
@Command(
    name = "sweep",
    description = {
      "Trains models of growing size and shows how their test quality grows with compute,"
          + " parameters and examples.",
      "Ctrl-C ends it after a checkpoint of every run; started again with the same STUDY, --data"
          + " and --out it goes on, and runs that have ended are not made again."
    },
    mixinStandardHelpOptions = true)
final class SweepCommand extends StudyCommand {
  SweepCommand() {
    super(Kind.SWEEP);
  }
}
