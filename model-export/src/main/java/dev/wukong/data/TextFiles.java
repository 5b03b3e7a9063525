package dev.wukong.data;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Reads lines and headers of text files, gzip or not. */
final class TextFiles {
  /** The longest header line, in characters. */
  private static final int MAX_HEADER = 1 << 20;

  private TextFiles() {}

  /** Whether the name of {@code file} says that it is gzip. */
  static boolean packed(Path file) {
    return file.toString().toLowerCase(Locale.ROOT).endsWith(".gz");
  }

  /** A reader of {@code file}, unpacked if its name ends in {@code .gz}. */
  static BufferedReader open(Path file) throws IOException {
    InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    try {
      InputStream plain = packed(file) ? new GZIPInputStream(raw, 1 << 16) : raw;
      return new BufferedReader(new InputStreamReader(plain, StandardCharsets.UTF_8), 1 << 16);
    } catch (IOException e) {
      raw.close();
      throw e;
    }
  }

  /** The columns that the first line of {@code file} names. */
  static List<String> header(Path file, char delimiter, boolean quoted) {
    String line = firstLine(file);
    List<String> columns = split(line, delimiter, quoted);
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < columns.size(); i++) {
      if (columns.get(i).isEmpty()) {
        throw new DataException(
            "%s, line 1: column %d has no name; every column needs one".formatted(file, i + 1));
      }
      if (!seen.add(columns.get(i))) {
        throw new DataException(
            "%s, line 1: two columns are named '%s'; each needs a name of its own"
                .formatted(file, columns.get(i)));
      }
    }
    return columns;
  }

  /** The first line of {@code file}, without a byte order mark. */
  static String firstLine(Path file) {
    refuseOtherKinds(file);
    StringBuilder line = new StringBuilder();
    try (BufferedReader reader = open(file)) {
      for (int c = reader.read(); c >= 0 && c != '\n' && c != '\r'; c = reader.read()) {
        line.append((char) c);
        if (line.length() > MAX_HEADER) {
          throw new DataException(
              "%s, line 1 is longer than %d characters".formatted(file, MAX_HEADER));
        }
      }
    } catch (IOException e) {
      throw unreadable(file, e);
    }
    if (!line.isEmpty() && line.charAt(0) == '\uFEFF') {
      line.deleteCharAt(0);
    }
    if (line.chars().anyMatch(c -> c == 0xFFFD || (c < ' ' && c != '\t'))) {
      throw new DataException(file + ", line 1: it is not text in UTF-8");
    }
    if (line.isEmpty()) {
      throw new DataException(file + " is empty or begins with an empty line");
    }
    return line.toString();
  }

  /** Refuses a file that begins like one of another kind, whatever its name says. */
  private static void refuseOtherKinds(Path file) {
    byte[] start;
    try (InputStream in = Files.newInputStream(file)) {
      start = in.readNBytes(4);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
    if (!packed(file) && starts(start, 0x1F, 0x8B)) {
      throw new DataException(
          file + " is packed with gzip, and its name does not end in .gz; rename or unpack it");
    }
    String kind =
        starts(start, 'P', 'K', 3, 4)
            ? "zip"
            : starts(start, 0x28, 0xB5, 0x2F, 0xFD)
                ? "Zstandard"
                : starts(start, 'B', 'Z', 'h')
                    ? "bzip2"
                    : starts(start, 0xFD, '7', 'z') ? "xz" : "";
    if (!kind.isEmpty()) {
      throw new DataException(
          "%s is packed with %s; plain text or gzip is needed".formatted(file, kind));
    }
    if (starts(start, 'P', 'A', 'R', '1')) {
      throw new DataException(
          file + " is a Parquet file; give it a name that ends in .parquet, or that format");
    }
  }

  private static boolean starts(byte[] start, int... magic) {
    boolean same = start.length >= magic.length;
    for (int i = 0; same && i < magic.length; i++) {
      same = (start[i] & 0xFF) == magic[i];
    }
    return same;
  }

  private static List<String> split(String line, char delimiter, boolean quoted) {
    List<String> parts = new ArrayList<>();
    StringBuilder part = new StringBuilder();
    boolean inQuotes = false;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (quoted && c == '"') {
        if (inQuotes && i + 1 < line.length() && line.charAt(i + 1) == '"') {
          part.append('"');
          i++;
        } else {
          inQuotes = !inQuotes;
        }
      } else if (c == delimiter && !inQuotes) {
        parts.add(part.toString());
        part.setLength(0);
      } else {
        part.append(c);
      }
    }
    parts.add(part.toString());
    return parts;
  }

  static DataException unreadable(Path file, Exception cause) {
    String message = String.valueOf(cause.getMessage());
    boolean damaged =
        packed(file)
            && (cause instanceof ZipException || cause instanceof EOFException)
            && !message.contains("Not in GZIP");
    return new DataException(
        damaged
            ? "%s is damaged (%s); fetch or pack it again".formatted(file, message)
            : "%s cannot be read: %s".formatted(file, message),
        cause);
  }
}
