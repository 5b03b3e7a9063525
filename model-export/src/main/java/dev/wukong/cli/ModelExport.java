package dev.wukong.cli;

import dev.wukong.bench.BenchCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line: every command is a subcommand of this one. */
@Command(
    name = "model-export",
    description = "Trains, exports and examines ranking models.",
    mixinStandardHelpOptions = true,
    version = "0.1.0",
    subcommands = {
      TrainCommand.class,
      EvaluateCommand.class,
      PredictCommand.class,
      InspectCommand.class,
      VerifyCommand.class,
      ExportCommand.class,
      ScoreCommand.class,
      InferSchemaCommand.class,
      SimulateCommand.class,
      SmokeCommand.class,
      QuickstartCommand.class,
      BenchCommand.class,
      CommandLine.HelpCommand.class
    })
public final class ModelExport {
  private ModelExport() {}

  public static void main(String[] args) {
    System.exit(line().execute(args));
  }

  static CommandLine line() {
    CommandLine line =
        new CommandLine(new ModelExport()).setExecutionExceptionHandler(new Failures());
    String[] version = line.getCommandSpec().version();
    line.getSubcommands().values().forEach(sub -> sub.getCommandSpec().version(version));
    return line;
  }
}
