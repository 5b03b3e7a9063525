package dev.wukong.cli;

import dev.wukong.data.FileFormat;
import dev.wukong.data.RowSource;
import dev.wukong.data.SchemaInference;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code infer-schema}. */
@Command(
    name = "infer-schema",
    description =
        "Prints a first schema for a data file, guessed from its values, to be corrected by hand.",
    mixinStandardHelpOptions = true)
final class InferSchemaCommand implements Callable<Integer> {
  @Parameters(index = "0", description = "The data file.")
  private Path file = Path.of("");

  @Option(names = "--format", description = "The file's format; told by its name by default.")
  private String format = "";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    FileFormat of = format.isEmpty() ? FileFormat.guess(file) : FileFormat.named(format);
    try (RowSource source = of.open(file)) {
      String name = file.getFileName().toString();
      int dot = name.indexOf('.');
      String schema = SchemaInference.infer(dot > 0 ? name.substring(0, dot) : name, source);
      spec.commandLine().getOut().print(schema);
      spec.commandLine().getOut().flush();
    }
    return 0;
  }
}
