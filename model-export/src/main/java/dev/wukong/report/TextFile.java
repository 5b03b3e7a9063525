package dev.wukong.report;

import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a file of UTF-8 text beside its place and moves it there. */
final class TextFile {
  private TextFile() {}

  /** Follows a link, so that what it names is replaced and not the link. */
  static void write(Path file, String text) throws IOException {
    try (WholeFile whole = WholeFile.create(Files.exists(file) ? file.toRealPath() : file)) {
      whole.part().toFile().deleteOnExit(); // Ctrl-C does not close it.
      OutputStream out = Channels.newOutputStream(whole.channel());
      out.write(text.getBytes(StandardCharsets.UTF_8));
      whole.commit();
    }
  }
}
