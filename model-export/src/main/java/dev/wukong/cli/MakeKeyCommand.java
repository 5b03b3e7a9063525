package dev.wukong.cli;

import dev.wukong.bundle.SigningKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code make-key}. */
@Command(
    name = "make-key",
    description = "Makes a pair of keys with which bundles are signed: NAME.key and NAME.pub.",
    mixinStandardHelpOptions = true)
final class MakeKeyCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "NAME", description = "Such as keys/release.")
  private Path name = Path.of("");

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    Path whole = name.toAbsolutePath();
    Path folder = whole.getParent();
    Path last = whole.getFileName();
    if (folder == null || last == null) {
      throw new IOException("NAME is '" + name + "', want such as keys/release");
    }
    String id = SigningKey.make(folder, last.toString());
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "key %s: %s.key signs and is a secret, %s.pub is for wukong.bundles.trusted-keys%n",
        id, name, name);
    out.flush();
    return 0;
  }
}
