package dev.wukong.fuzzing;

import dev.wukong.serving.testing.TinyModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.util.FileSystemUtils;

/** A small bundle whose files are seeds. */
public final class SeedBundle {
  private SeedBundle() {}

  /** What is done with a bundle's folder. */
  public interface Use<T> {
    /** Called once; the folder is gone afterwards. */
    T of(Path bundle) throws IOException;
  }

  /** Has a bundle written, used and removed. */
  public static <T> T use(Use<T> use) {
    try {
      Path folder = Files.createTempDirectory("wukong-seeds");
      try {
        return use.of(new TinyModel(1).write(folder, "tiny", 1));
      } finally {
        FileSystemUtils.deleteRecursively(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file of it. */
  public static byte[] file(String name) {
    return use(bundle -> Files.readAllBytes(bundle.resolve(name)));
  }
}
