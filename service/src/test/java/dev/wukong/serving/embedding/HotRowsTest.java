package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HotRowsTest {
  private static final List<long[]> KEYS = List.of(new long[] {7, 3, 1L << 60}, new long[0]);

  @TempDir Path folder;

  @Test
  void of_keptBeforeByAnotherProcess_givesTheSameInTheSameOrder() throws Exception {
    new HotRows(folder.resolve("hot")).keep("m", "tables", KEYS);
    new HotRows(folder.resolve("hot")).keep("m", "tables", List.of(new long[] {1}));
    new HotRows(folder.resolve("hot")).keep("m", "tables", KEYS);

    List<long[]> keys = new HotRows(folder.resolve("hot")).of("m", "tables");

    assertThat(keys).hasSize(2);
    assertThat(keys.getFirst()).containsExactly(7, 3, 1L << 60);
    assertThat(keys.getLast()).isEmpty();
  }

  @Test
  void of_otherModelOrTables_givesNone() throws Exception {
    HotRows rows = new HotRows(folder.resolve("hot"));
    assertThat(rows.of("m", "tables")).isEmpty();
    rows.keep("m", "tables", KEYS);
    assertThat(rows.of("n", "tables")).isEmpty();
    assertThat(rows.of("m", "others")).isEmpty();
  }

  @Test
  void of_anyByteChangedOrCutOff_givesNone() throws Exception {
    HotRows rows = new HotRows(folder);
    rows.keep("m", "t", KEYS);
    Path file = folder.resolve("m.keys");
    byte[] bytes = Files.readAllBytes(file);
    for (int i = 0; i < bytes.length; i++) {
      byte[] other = bytes.clone();
      other[i] ^= 4;
      Files.write(file, other);
      assertThat(whatIsLeft(rows)).as("byte %d", i).isEmpty();
      Files.write(file, Arrays.copyOf(bytes, i));
      assertThat(whatIsLeft(rows)).as("%d bytes", i).isEmpty();
    }
    Files.write(file, bytes);
    assertThat(whatIsLeft(rows)).isNotEmpty();
  }

  private static List<long[]> whatIsLeft(HotRows rows) {
    try {
      return rows.of("m", "t");
    } catch (IOException e) {
      return List.of();
    }
  }

  @Test
  void keep_moreThanAFileHolds_keepsTheFirst() throws Exception {
    long[] many = new long[HotRows.MOST + 5];
    many[0] = 9;
    HotRows rows = new HotRows(folder);
    rows.keep("m", "t", List.of(many));
    assertThat(rows.of("m", "t").getFirst()).hasSize(HotRows.MOST).startsWith(9);
  }
}
