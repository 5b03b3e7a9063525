package dev.wukong.study;

import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;

/**
 * The learning curve of a run beside its checkpoint, an epoch a line. An epoch is written before
 * the checkpoint that counts it, so that none is lost; those that the checkpoint does not know are
 * dropped when training goes on from it. One thread.
 */
final class CurveFile {
  private final Path file;

  CurveFile(Path file) {
    this.file = file;
  }

  /** The epochs so far; a line that was cut off is none. */
  List<CurvePoint> read() throws IOException {
    List<CurvePoint> result = new ArrayList<>();
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        try {
          result.add(StudyJson.LINE.readValue(line, CurvePoint.class));
        } catch (JacksonException e) {
          break;
        }
      }
    }
    return result;
  }

  /** Keeps the first {@code epochs} epochs. */
  void keep(int epochs) throws IOException {
    try (WholeFile whole = WholeFile.create(file)) {
      for (CurvePoint point : read()) {
        if (point.epoch() <= epochs) {
          write(whole.channel(), point);
        }
      }
      whole.commit();
    }
  }

  /** Adds an epoch; it is on the disk afterwards. */
  void add(CurvePoint point) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      write(channel, point);
      channel.force(true);
    }
  }

  private static void write(FileChannel channel, CurvePoint point) throws IOException {
    String line = StudyJson.LINE.writeValueAsString(point) + "\n";
    ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      int _ = channel.write(bytes);
    }
  }
}
