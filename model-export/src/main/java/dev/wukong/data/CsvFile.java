package dev.wukong.data;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** Writes the rows of a source as CSV with a header, as {@link FileFormat} reads it. */
public final class CsvFile {
  private CsvFile() {}

  /** {@link #write(OutputStream, boolean, RowSource, Progress)} to a file of its own. */
  public static long write(Path file, RowSource source, Progress progress) throws IOException {
    try (OutputStream raw = Files.newOutputStream(file)) {
      return write(raw, file.toString().endsWith(".gz"), source, progress);
    }
  }

  /**
   * Writes all remaining rows of {@code source}; lists are joined by {@link IdFeature#SEPARATOR},
   * flags are 0 and 1.
   *
   * @param raw closed at the end
   * @param pack whether to pack them with gzip
   * @return how many rows
   */
  public static long write(OutputStream raw, boolean pack, RowSource source, Progress progress)
      throws IOException {
    int width = source.columns().size();
    try (raw;
        OutputStream packed = pack ? new GZIPOutputStream(raw, 1 << 16) : raw;
        BufferedWriter out =
            new BufferedWriter(new OutputStreamWriter(packed, StandardCharsets.UTF_8), 1 << 16)) {
      line(out, source.columns());
      long rows = 0;
      List<String> values = new ArrayList<>();
      while (source.next()) {
        values.clear();
        for (int i = 0; i < width; i++) {
          values.add(text(source.value(i)));
        }
        line(out, values);
        progress.rows(++rows);
      }
      return rows;
    }
  }

  private static String text(@Nullable Object value) {
    return switch (value) {
      case null -> "";
      case Boolean flag -> flag ? "1" : "0";
      case List<?> list ->
          list.stream()
              .map(element -> element == null ? "" : element.toString())
              .collect(Collectors.joining(IdFeature.SEPARATOR));
      case long[] list -> text(Arrays.stream(list).boxed().toList());
      default -> value.toString();
    };
  }

  private static void line(BufferedWriter out, List<String> values) throws IOException {
    String between = "";
    for (String value : values) {
      out.write(between);
      boolean quote =
          value.indexOf(',') >= 0
              || value.indexOf('"') >= 0
              || value.indexOf('\n') >= 0
              || value.indexOf('\r') >= 0;
      out.write(quote ? '"' + value.replace("\"", "\"\"") + '"' : value);
      between = ",";
    }
    out.write('\n');
  }
}
