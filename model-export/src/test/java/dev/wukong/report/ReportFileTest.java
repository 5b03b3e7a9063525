package dev.wukong.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportFileTest {
  private static final Report REPORT = new Report("title é", "", List.of());

  @TempDir Path folder;

  @Test
  void write_overAnEarlierReport_replacesItAndLeavesNothingElse() throws IOException {
    Path file = folder.resolve("report.html");
    Files.writeString(file, "earlier".repeat(10_000));
    HtmlReport.write(REPORT, file);

    assertThat(Files.readString(file)).isEqualTo(HtmlReport.text(REPORT)).contains("title é");
    assertThat(names()).containsExactly("report.html");
  }

  @Test
  void write_throughALink_keepsTheLink() throws IOException {
    Path file = Files.writeString(folder.resolve("real.html"), "earlier");
    Path link = Files.createSymbolicLink(folder.resolve("link.html"), file);
    HtmlReport.write(REPORT, link);

    assertThat(link).isSymbolicLink();
    assertThat(Files.readString(file)).contains("title é");
  }

  @Test
  void write_whereItCannotBePut_leavesNothing() throws IOException {
    Path place = Files.createDirectory(folder.resolve("report.html"));
    Files.writeString(place.resolve("kept"), "kept");

    assertThatThrownBy(() -> HtmlReport.write(REPORT, place)).isInstanceOf(IOException.class);
    assertThat(names()).containsExactly("report.html");
    assertThat(place.resolve("kept")).hasContent("kept");
    assertThatThrownBy(() -> JsonReport.write(REPORT, folder.resolve("no/report.json")))
        .isInstanceOf(IOException.class);
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
