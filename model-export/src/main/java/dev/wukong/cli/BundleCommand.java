package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Manifest;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.FileFormat;
import dev.wukong.run.Datasets;
import dev.wukong.runtime.Device;
import dev.wukong.training.BundleScorer;
import dev.wukong.training.NotFiniteException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What the commands that work on a bundle share. */
abstract class BundleCommand implements Callable<Integer> {
  private static final int MAX_THREADS = 1024;

  @Parameters(
      index = "0",
      description =
          "A bundle's folder, <root>/<model>/<version>, or <root>/<model> for the newest version.")
  protected Path bundle = Path.of("");

  @Option(names = "--device", description = "cpu or cuda:N (${DEFAULT-VALUE}).")
  protected String device = "cpu";

  @Option(names = "--threads", description = "Threads of the graph (all cores by default).")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(names = "--format", description = "The data file's format; told by its name by default.")
  protected String format = "";

  @Option(names = "--no-bars", description = "No progress bars, for logs.")
  protected boolean noBars;

  @Spec protected CommandSpec spec = CommandSpec.create();

  /** The bundle named on the command line, verified. */
  protected Bundle open() throws IOException {
    return open(bundle);
  }

  /** The bundle in this folder, or the newest in it, verified. */
  static Bundle open(Path bundle) throws IOException {
    if (!Files.isDirectory(bundle)) {
      throw new IOException(
          "there is no bundle folder '"
              + bundle
              + "', want <root>/<model>/<version> or <root>/<model>");
    }
    Path name = bundle.toAbsolutePath().normalize();
    Path root = name.getParent();
    String last = String.valueOf(name.getFileName());
    // A model's name may be all digits, as a version is; what has a manifest is a version.
    if (root == null || Files.exists(name.resolve(Manifest.FILE))) {
      return Bundle.open(bundle);
    }
    Optional<Path> newest = new BundleStore(root).newest(last);
    if (newest.isEmpty() && !last.matches("[0-9]+")) {
      throw new IOException(bundle + " holds no version of a bundle");
    }
    return Bundle.open(newest.orElse(bundle));
  }

  protected BundleScorer scorer(Bundle open) throws IOException {
    return new BundleScorer(open, Device.parse(device), threads());
  }

  /** Threads of the graph, within what makes sense. */
  protected int threads() {
    if (threads < 1 || threads > MAX_THREADS) {
      throw new IllegalArgumentException("--threads is " + threads + ", want 1 to " + MAX_THREADS);
    }
    return threads;
  }

  /** Encodes {@code file} into a temporary data set, hands it to {@code use} and removes it. */
  protected void withData(Path file, BundleScorer scorer, Use use) throws IOException {
    withData(file, scorer, true, use);
  }

  /** The same without its labels, which it need not have. */
  protected void withRows(Path file, BundleScorer scorer, Use use) throws IOException {
    withData(file, scorer, false, use);
  }

  private void withData(Path file, BundleScorer scorer, boolean labelled, Use use)
      throws IOException {
    FileFormat of = format.isEmpty() ? FileFormat.guess(file) : FileFormat.named(format);
    try (TemporaryData room = TemporaryData.create();
        EncodedDataset data =
            new Datasets(spec.commandLine().getErr(), !noBars)
                .encode(file, of, scorer.encoder(), room.file(), labelled)) {
      room.remove(); // It is mapped; not even a killed process leaves it from now on.
      use.on(data);
    } catch (NotFiniteException e) {
      throw e.in(file.toString());
    }
  }

  /** Something done with a data set. */
  @FunctionalInterface
  protected interface Use {
    void on(EncodedDataset data) throws IOException;
  }
}
