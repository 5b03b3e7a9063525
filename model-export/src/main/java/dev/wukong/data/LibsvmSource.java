package dev.wukong.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Lines of {@code label index:value ...}; empty lines and what follows a {@code #} are skipped. */
final class LibsvmSource implements RowSource {
  private static final List<String> COLUMNS = List.of("label", "indices", "values");

  private final Path file;
  private final BufferedReader reader;
  private long line;
  private long row;
  private String label = "";
  private long[] indices = {};
  private float[] values = {};

  LibsvmSource(Path file) {
    this.file = file;
    try {
      this.reader = TextFiles.open(file);
    } catch (IOException e) {
      throw TextFiles.unreadable(file, e);
    }
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public List<String> columns() {
    return COLUMNS;
  }

  @Override
  public boolean next() {
    try {
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        line++;
        int comment = text.indexOf('#');
        String content = (comment < 0 ? text : text.substring(0, comment)).strip();
        if (!content.isEmpty()) {
          parse(content.split("\\s+", -1));
          row++;
          return true;
        }
      }
    } catch (IOException e) {
      throw TextFiles.unreadable(file, e);
    }
    if (row == 0) {
      throw new DataException(file + " has no rows");
    }
    return false;
  }

  private void parse(String[] parts) {
    label = parts[0];
    indices = new long[parts.length - 1];
    values = new float[parts.length - 1];
    for (int i = 1; i < parts.length; i++) {
      int colon = parts[i].indexOf(':');
      try {
        indices[i - 1] = Long.parseLong(parts[i], 0, Math.max(colon, 0), 10);
        values[i - 1] = Float.parseFloat(parts[i].substring(colon + 1));
      } catch (NumberFormatException e) {
        throw new DataException(
            "%s, line %d: '%s'; index:value with an int64 and a number is needed"
                .formatted(file, line, parts[i]),
            e);
      }
    }
  }

  @Override
  public long row() {
    return row;
  }

  @Override
  public @Nullable Object value(int column) {
    return switch (column) {
      case 0 -> label;
      case 1 -> indices;
      case 2 -> values;
      default -> throw new IndexOutOfBoundsException(column);
    };
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw TextFiles.unreadable(file, e);
    }
  }
}
