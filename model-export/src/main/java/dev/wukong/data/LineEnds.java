package dev.wukong.data;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the first line of a text file that ends in another way than the first one. */
final class LineEnds {
  private static final String[] NAMES = {"CR", "LF", "CR LF"};

  private LineEnds() {}

  /**
   * What is wrong, with the number of the line.
   *
   * @param quoted whether line ends inside double quotes are part of a value
   * @return empty if all lines end alike
   */
  static Optional<String> mixed(Path file, boolean quoted) {
    try (Reader reader = TextFiles.open(file)) {
      int first = -1;
      boolean inQuotes = false;
      long line = 1;
      for (int c = reader.read(); c >= 0; ) {
        int next = reader.read();
        inQuotes ^= quoted && c == '"';
        if (c == '\n' || c == '\r') {
          int kind = c == '\n' ? 1 : next == '\n' ? 2 : 0;
          if (kind == 2) {
            next = reader.read();
          }
          if (!inQuotes && first >= 0 && kind != first) {
            return Optional.of(
                "line %d ends with %s, and the first with %s; one kind of line end is needed"
                    .formatted(line, NAMES[kind], NAMES[first]));
          }
          first = first < 0 ? kind : first;
          line++;
        }
        c = next;
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
