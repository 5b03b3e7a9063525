package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.BundleWriter;
import dev.wukong.data.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** In how many files a table's rows end. */
class TableBlockTest {
  private static final List<Table> TABLES =
      List.of(new Table(0, "user", "user", 16), new Table(1, "item", "item", 2));

  @TempDir private Path folder = Path.of("");

  private static void add(TableBlock block, Table table, int rows, int stateWidth) {
    float[] row = new float[table.width()];
    float[] state = new float[stateWidth];
    for (int id = 0; id < rows; id++) {
      row[0] = id;
      block.add(table.ordinal(), id, row, state);
    }
  }

  /** The parts in {@code rows} and {@code state} that start with {@code table}. */
  private List<String> parts(String table) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(table + "-"))
          .map(file -> file.subpath(file.getNameCount() - 2, file.getNameCount()).toString())
          .sorted()
          .toList();
    }
  }

  @Test
  void rows_ofTensOfThousands_areOneFileATable() throws IOException {
    try (BundleWriter writer = BundleWriter.create(folder, "model")) {
      TableBlock block = new TableBlock(writer, TABLES);
      add(block, TABLES.get(0), 50_000, 1);
      add(block, TABLES.get(1), 3, 1);
      block.flush();
      assertThat(parts("user"))
          .containsExactly("rows/user-00000.safetensors", "state/user-00000.safetensors");
      assertThat(parts("item"))
          .containsExactly("rows/item-00000.safetensors", "state/item-00000.safetensors");
    }
  }

  /** A row of 16 floats with one of state takes 76 bytes. */
  @ParameterizedTest
  @CsvSource({"10000, 1", "10001, 2", "20000, 2", "20001, 3"})
  void rows_ofMoreThanTheBytes_goOnInTheNextFile(int rows, int files) throws IOException {
    try (BundleWriter writer = BundleWriter.create(folder, "model")) {
      TableBlock block = new TableBlock(writer, TABLES, 76 * 10_000);
      add(block, TABLES.get(0), rows, 1);
      block.flush();
      assertThat(parts("user")).hasSize(2 * files);
    }
  }

  @Test
  void rows_widerThanTheBytes_areAFileEach() throws IOException {
    try (BundleWriter writer = BundleWriter.create(folder, "model")) {
      TableBlock block = new TableBlock(writer, TABLES, 10);
      add(block, TABLES.get(0), 3, 0);
      block.flush();
      assertThat(parts("user"))
          .containsExactly(
              "rows/user-00000.safetensors",
              "rows/user-00001.safetensors",
              "rows/user-00002.safetensors");
    }
  }
}
