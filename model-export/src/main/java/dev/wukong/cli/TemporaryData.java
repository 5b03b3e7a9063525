package dev.wukong.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Room for encoded data that a command needs once; gone at its end, and at Ctrl-C. One thread. */
final class TemporaryData implements AutoCloseable {
  private final Path folder;
  private final Path file;

  private TemporaryData(Path folder) {
    this.folder = folder;
    this.file = folder.resolve("data.encoded");
  }

  static TemporaryData create() throws IOException {
    TemporaryData room = new TemporaryData(Files.createTempDirectory("wukong-encoded-"));
    // Removed at the end of the process in the opposite order, what is written first of all.
    room.folder.toFile().deleteOnExit();
    room.file.toFile().deleteOnExit();
    room.file.resolveSibling(room.file.getFileName() + ".part").toFile().deleteOnExit();
    return room;
  }

  /** Where to write. */
  Path file() {
    return file;
  }

  /** Removes it; who has it mapped may go on reading. */
  void remove() throws IOException {
    Files.deleteIfExists(file);
    Files.deleteIfExists(folder);
  }

  @Override
  public void close() throws IOException {
    remove();
  }
}
