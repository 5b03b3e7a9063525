package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
  @TempDir private Path folder = Path.of("");

  private static void write(WholeFile whole, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      whole.channel().write(bytes);
    }
  }

  @Test
  void commit_replacesWhatWasThere() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "before, and longer");
    try (WholeFile whole = WholeFile.create(file)) {
      write(whole, "after");
      assertThat(file).hasContent("before, and longer");
      whole.commit();
    }
    assertThat(file).hasContent("after");
    assertThat(folder.resolve("a.part")).doesNotExist();
  }

  @Test
  void close_withoutCommit_leavesWhatWasThere() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "before");
    try (WholeFile whole = WholeFile.create(file)) {
      write(whole, "after");
    }
    assertThat(file).hasContent("before");
    assertThat(folder.resolve("a.part")).doesNotExist();
  }

  @Test
  void create_overwritesWhatAKilledWriterLeft() throws IOException {
    Files.writeString(folder.resolve("a.part"), "half of a long file");
    try (WholeFile whole = WholeFile.create(folder.resolve("a"))) {
      write(whole, "x");
      whole.commit();
    }
    assertThat(folder.resolve("a")).hasContent("x");
  }
}
