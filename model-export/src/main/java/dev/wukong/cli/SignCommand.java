package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.SigningKey;
import java.io.PrintWriter;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sign}. */
@Command(
    name = "sign",
    description = {
      "Signs a bundle's manifest, which has the hash of every other file, with Ed25519.",
      "A service with wukong.bundles.trusted-keys uses no others."
    },
    mixinStandardHelpOptions = true)
final class SignCommand extends BundleCommand {
  @Option(
      names = "--key",
      required = true,
      description = "The private key, such as release.key; the public one lies beside it.")
  private Path key = Path.of("");

  @Override
  public Integer call() throws Exception {
    SigningKey signing = SigningKey.read(key);
    PrintWriter out = spec.commandLine().getOut();
    Path folder;
    try (Bundle open = open()) {
      folder = open.folder();
    }
    signing.sign(folder);
    out.printf("%s is signed by key %s%n", folder, signing.id());
    out.flush();
    return 0;
  }
}
