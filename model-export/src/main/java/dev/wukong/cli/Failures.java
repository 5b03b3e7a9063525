package dev.wukong.cli;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.bundle.BundleException;
import dev.wukong.config.ConfigException;
import dev.wukong.data.DataException;
import dev.wukong.runtime.DeviceException;
import java.io.IOException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Failures that a user can mend are one line; only a defect of the program shows its trace. */
final class Failures implements IExecutionExceptionHandler {
  @Override
  public int handleExecutionException(Exception e, CommandLine line, ParseResult parsed) {
    boolean expected =
        e instanceof ConfigException
            || e instanceof DataException
            || e instanceof BundleException
            || e instanceof BenchmarkException
            || e instanceof DeviceException
            || e instanceof IllegalArgumentException
            || e instanceof IOException;
    if (expected) {
      line.getErr().println(line.getCommandSpec().qualifiedName() + ": " + e.getMessage());
    } else {
      e.printStackTrace(line.getErr());
    }
    line.getErr().flush();
    return 1;
  }
}
