package dev.wukong.cli;

import dev.wukong.bench.BenchCommand;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command line: every command is a subcommand of this one. */
@Command(
    name = "model-export",
    description = "Trains, exports and examines ranking models.",
    mixinStandardHelpOptions = true,
    versionProvider = ModelExport.Version.class,
    subcommands = {
      TrainCommand.class,
      ReproduceCommand.class,
      SweepCommand.class,
      AblateCommand.class,
      SearchCommand.class,
      EvaluateCommand.class,
      PredictCommand.class,
      InspectCommand.class,
      ProfileCommand.class,
      PlanCommand.class,
      VerifyCommand.class,
      MakeKeyCommand.class,
      SignCommand.class,
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
  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of an error.")
  private boolean debug;

  private ModelExport() {}

  /** The version that bundles and outcomes name, too. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String built = ModelExport.class.getPackage().getImplementationVersion();
      return new String[] {built == null ? "not from a jar" : built};
    }
  }

  public static void main(String[] args) {
    // Names of files and figures in messages are the same wherever it runs.
    Locale.setDefault(Locale.ROOT);
    System.exit(line().execute(args));
  }

  /** Whether errors show their stack trace. */
  boolean debug() {
    return debug;
  }

  static CommandLine line() {
    return line(new ModelExport());
  }

  private static CommandLine line(ModelExport top) {
    Failures failures = new Failures();
    CommandLine line =
        new CommandLine(top).setExecutionExceptionHandler(failures).setExecutionStrategy(failures);
    String[] version = line.getCommandSpec().version();
    line.getSubcommands().values().forEach(sub -> sub.getCommandSpec().version(version));
    return line;
  }
}
