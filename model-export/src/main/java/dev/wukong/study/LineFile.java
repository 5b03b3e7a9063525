package dev.wukong.study;

import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import tools.jackson.core.JacksonException;

/**
 * What a run says as it goes, beside its checkpoint, a value a line. A value is written before the
 * checkpoint that counts it, so that none is lost; those that the checkpoint does not know are
 * dropped when training goes on from it. One thread.
 */
final class LineFile<T> {
  private final Path file;
  private final Class<T> type;

  LineFile(Path file, Class<T> type) {
    this.file = file;
    this.type = type;
  }

  /** The values so far; a line that was cut off is none. */
  List<T> read() throws IOException {
    List<T> result = new ArrayList<>();
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        try {
          result.add(StudyJson.LINE.readValue(line, type));
        } catch (JacksonException e) {
          break;
        }
      }
    }
    return result;
  }

  /**
   * Keeps the wanted ones.
   *
   * @throws UncheckedIOException as {@link #add} does: a listener of training calls them
   */
  void keep(Predicate<T> wanted) {
    try (WholeFile whole = WholeFile.create(file)) {
      for (T value : read()) {
        if (wanted.test(value)) {
          write(whole.channel(), value);
        }
      }
      whole.commit();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Adds a value; it is on the disk afterwards. */
  void add(T value) {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      write(channel, value);
      channel.force(true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(FileChannel channel, T value) throws IOException {
    String line = StudyJson.LINE.writeValueAsString(value) + "\n";
    ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      int _ = channel.write(bytes);
    }
  }
}
