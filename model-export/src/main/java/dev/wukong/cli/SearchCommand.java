package dev.wukong.cli;

import dev.wukong.study.Kind;
import picocli.CommandLine.Command;

/** {@code search}. */
@Command(
    name = "search",
    description = {
      "Trains a model with hyperparameters drawn at random from the space that a study gives.",
      "The best trial by the validation data is exported, and best.yaml in --out is its"
          + " configuration for train --config.",
      "Ctrl-C ends it after a checkpoint of every run; started again with the same STUDY, --data"
          + " and --out it goes on, and runs that have ended are not made again."
    },
    mixinStandardHelpOptions = true)
final class SearchCommand extends StudyCommand {
  SearchCommand() {
    super(Kind.SEARCH);
  }
}
