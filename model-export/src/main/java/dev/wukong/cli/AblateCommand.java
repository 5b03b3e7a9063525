package dev.wukong.cli;

import dev.wukong.study.Kind;
import picocli.CommandLine.Command;

/** {@code ablate}. */
@Command(
    name = "ablate",
    description = {
      "Trains a model whole and with parts taken away, and shows what each part is worth.",
      "Ctrl-C ends it after a checkpoint of every run; started again with the same STUDY, --data"
          + " and --out it goes on, and runs that have ended are not made again."
    },
    mixinStandardHelpOptions = true)
final class AblateCommand extends StudyCommand {
  AblateCommand() {
    super(Kind.ABLATE);
  }
}
