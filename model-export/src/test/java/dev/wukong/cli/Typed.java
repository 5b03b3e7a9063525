package dev.wukong.cli;

import java.io.PrintWriter;
import java.io.Writer;

/** Runs the command line on what somebody would type. */
final class Typed {
  private Typed() {}

  /** Runs a command and returns its status. */
  static int execute(Writer out, Writer err, String... arguments) {
    return ModelExport.line()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }
}
