package dev.wukong.bundle;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Puts what is in a bundle under another name, such as to compare what learns with what does not.
 */
public final class BundleCopy {
  private BundleCopy() {}

  /**
   * Writes the version after the newest one of {@code model}, with the files of {@code source}.
   *
   * @param root the folder of all models, created where missing
   * @return the version's folder
   * @throws BundleException if the name is not allowed or another writer of the model is at work
   */
  public static Path write(Bundle source, Path root, String model) throws IOException {
    try (BundleWriter writer = BundleWriter.create(root, model)) {
      for (FileEntry entry : source.manifest().files()) {
        try (OutputStream out = writer.file(entry.name())) {
          Files.copy(source.folder().resolve(entry.name()), out);
        }
      }
      return writer.finish(source.manifest());
    }
  }
}
