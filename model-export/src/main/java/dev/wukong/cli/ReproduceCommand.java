package dev.wukong.cli;

import dev.wukong.study.Kind;
import picocli.CommandLine.Command;

/** {@code reproduce}. */
@Command(
    name = "reproduce",
    description = {
      "Trains the models that a study lists and shows their test quality beside published figures.",
      "Ctrl-C ends it after a checkpoint of every run; started again with the same STUDY, --data"
          + " and --out it goes on, and runs that have ended are not made again."
    },
    mixinStandardHelpOptions = true)
final class ReproduceCommand extends StudyCommand {
  ReproduceCommand() {
    super(Kind.REPRODUCE);
  }
}
