package dev.wukong.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How a data file is laid out. Files whose name ends in {@code .gz} are unpacked as they are read.
 */
public sealed interface FileFormat {
  /**
   * Delimited text.
   *
   * @param columns the columns' names; empty: the first line has them
   * @param quoted whether a value may stand in double quotes
   */
  record Text(char delimiter, List<String> columns, boolean quoted) implements FileFormat {
    public Text {
      columns = List.copyOf(columns);
    }
  }

  /** Text whose first line names the columns, the first of them {@code label}. */
  record Benchmark() implements FileFormat {}

  record Parquet() implements FileFormat {}

  /**
   * Lines of {@code label index:value ...}, read as three columns: {@code label}, {@code indices}
   * (int64 list) and {@code values} (float list).
   */
  record Libsvm() implements FileFormat {}

  /** Names that {@link #named} knows. */
  List<String> NAMES =
      List.of(
          "csv", "tsv", "parquet", "libsvm", "benchmark-csv", "criteo-kaggle", "criteo-terabyte");

  /**
   * The format called {@code name}.
   *
   * @throws DataException if there is none
   */
  static FileFormat named(String name) {
    return switch (name) {
      case "csv" -> new Text(',', List.of(), true);
      case "tsv" -> new Text('\t', List.of(), false);
      case "parquet" -> new Parquet();
      case "libsvm" -> new Libsvm();
      case "benchmark-csv" -> new Benchmark();
      case "criteo-kaggle", "criteo-terabyte" -> new Text('\t', criteoColumns(), false);
      default ->
          throw new DataException(
              "no file format is called '%s'; there are: %s"
                  .formatted(name, String.join(", ", NAMES)));
    };
  }

  /**
   * The format that the file's name tells.
   *
   * @throws DataException if it tells none
   */
  static FileFormat guess(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    String plain = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
    String ending = plain.substring(plain.lastIndexOf('.') + 1);
    return switch (ending) {
      case "csv" -> named("csv");
      case "tsv" -> named("tsv");
      case "parquet", "pq" -> named("parquet");
      case "libsvm", "svm", "libfm" -> named("libsvm");
      default ->
          throw new DataException(
              "the name of %s does not tell its format; name one of: %s"
                  .formatted(file, String.join(", ", NAMES)));
    };
  }

  /** Columns of both Criteo sets: the label, 13 counts, 26 categories. */
  static List<String> criteoColumns() {
    List<String> columns = new ArrayList<>();
    columns.add("label");
    for (int i = 1; i <= 13; i++) {
      columns.add("I" + i);
    }
    for (int i = 1; i <= 26; i++) {
      columns.add("C" + i);
    }
    return columns;
  }

  /**
   * Opens {@code file}; the caller closes the source.
   *
   * @throws DataException if it is missing, empty or not of this format
   */
  default RowSource open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new DataException(file + " is not a file");
    }
    if (file.toFile().length() == 0) {
      throw new DataException(file + " is empty");
    }
    return switch (this) {
      case Text text -> new TextSource(file, text);
      case Benchmark _ -> {
        RowSource source = new TextSource(file, new Text(',', List.of(), true));
        if (!source.columns().getFirst().equals("label")) {
          source.close();
          throw new DataException(
              "%s: the first column is '%s'; a benchmark file's first column is 'label'"
                  .formatted(file, source.columns().getFirst()));
        }
        yield source;
      }
      case Parquet _ -> new ParquetSource(file);
      case Libsvm _ -> new LibsvmSource(file);
    };
  }
}
