package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EncodedDatasetTest {
  private static final int ROWS = 2500;

  @TempDir private Path folder = Path.of("unset");

  private static FeatureEncoder encoder(String ids) {
    Schema schema =
        SchemaYaml.parse(
            """
            name: s
            features:
              - {name: user, type: int64, scope: context, ids: %s}
              - {name: tags, type: string, ids: hash, buckets: 50, max_ids: 3, weights: w}
              - {name: age, type: number, scope: context, optional: true}
              - {name: price, type: number}
            tasks: [{name: click}, {name: buy}]
            """
                .formatted(ids),
            "test");
    return new FeatureEncoder(
        schema, Map.of("user", Vocabulary.of(ValueType.INT64, List.of("1", "2", "3"))));
  }

  private static ListSource source() {
    return source(-1);
  }

  /** Rows, of which number {@code changed} has another price. */
  private static ListSource source(int changed) {
    List<@Nullable Object[]> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      rows.add(
          new @Nullable Object[] {
            (long) (i % 5),
            i % 3 == 0 ? null : "a|b" + i,
            i % 3 == 0 ? null : "1|" + i,
            i % 7 == 0 ? null : i,
            i == changed ? 0.25 : i * 0.5,
            i % 2,
            i % 4 == 0 ? null : 1
          });
    }
    return new ListSource(List.of("user", "tags", "w", "age", "price", "click", "buy"), rows);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vocabulary", "hash"})
  void batch_anyOrder_givesBackWhatTheEncoderMade(String ids) {
    FeatureEncoder encoder = encoder(ids);
    Path file = folder.resolve("data.bin");
    EncodingCounts counts = DatasetWriter.write(file, encoder, source(), Progress.NONE);
    EncodedExamples expected = EncodedExamples.allocate(encoder, ROWS);
    EncodingCounts expectedCounts = new EncodingCounts();
    ListSource source = source();
    RowEncoder rows = encoder.bindLabelled(source);
    for (int row = 0; source.next(); row++) {
      rows.encode(expected.context(), expected.candidate(), row, expectedCounts);
      rows.labels(expected.labels(), expected.labelWeights(), 2 * row);
    }
    assertThat(counts).hasToString(expectedCounts.toString());
    try (EncodedDataset data = EncodedDataset.open(file, encoder)) {
      assertThat(data.rows()).isEqualTo(ROWS);
      EncodedExamples all = data.range(0, ROWS, data.allocate(ROWS));
      assertThat(all).usingRecursiveComparison().isEqualTo(expected);
      EncodedExamples some = data.batch(new long[] {2499, 0, 1024, 0});
      for (int i = 0; i < 4; i++) {
        int row = new int[] {2499, 0, 1024, 0}[i];
        assertThat(some.context().ids()[i]).isEqualTo(expected.context().ids()[row]);
        assertThat(some.candidate().weights()[3 * i + 1])
            .isEqualTo(expected.candidate().weights()[3 * row + 1]);
        assertThat(some.labelWeights()[2 * i + 1]).isEqualTo(expected.labelWeights()[2 * row + 1]);
        assertThat(some.candidate().dense()[i]).isEqualTo(row * 0.5f);
      }
    }
  }

  @Test
  void write_twice_givesTheSameBytes() throws IOException {
    FeatureEncoder encoder = encoder("vocabulary");
    DatasetWriter.write(folder.resolve("a"), encoder, source(), Progress.NONE);
    DatasetWriter.write(folder.resolve("b"), encoder, source(), Progress.NONE);
    assertThat(Files.mismatch(folder.resolve("a"), folder.resolve("b"))).isEqualTo(-1);
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(2); // nothing is left beside
    }
  }

  @Test
  void write_badRow_leavesNoFile() throws IOException {
    ListSource bad =
        ListSource.row(
            List.of("user", "tags", "w", "age", "price", "click", "buy"),
            "1",
            null,
            null,
            null,
            "cheap",
            1,
            1);
    assertThatThrownBy(
            () ->
                DatasetWriter.write(folder.resolve("a"), encoder("vocabulary"), bad, Progress.NONE))
        .isInstanceOf(DataException.class);
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  /** A source that breaks off after {@code rows} rows, and shows what lies in the folder then. */
  private static RowSource breakingOff(RowSource source, int rows, Runnable then) {
    return new RowSource() {
      @Override
      public String name() {
        return source.name();
      }

      @Override
      public List<String> columns() {
        return source.columns();
      }

      @Override
      public boolean next() {
        if (source.row() == rows) {
          then.run();
          throw new IllegalStateException("broken off");
        }
        return source.next();
      }

      @Override
      public long row() {
        return source.row();
      }

      @Override
      public @Nullable Object value(int column) {
        return source.value(column);
      }

      @Override
      public void close() {
        source.close();
      }
    };
  }

  @Test
  void write_brokenOff_leavesWhatWasThere() throws IOException {
    FeatureEncoder encoder = encoder("vocabulary");
    Path file = folder.resolve("data.bin");
    Path part = folder.resolve("data.bin.part");
    Path kept = folder.resolve("kept");
    // What a process that is killed here would leave.
    Runnable keep =
        () -> {
          try {
            Files.copy(part, kept);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        };
    assertThatThrownBy(
            () ->
                DatasetWriter.write(
                    file, encoder, breakingOff(source(), 2048, keep), Progress.NONE))
        .hasMessage("broken off");
    assertThat(file).doesNotExist();
    assertThat(part).doesNotExist();
    assertThat(Files.size(kept)).isGreaterThan(2048);
    assertThatThrownBy(() -> EncodedDataset.open(kept, encoder))
        .hasMessage(kept + " is not an encoded data set");

    DatasetWriter.write(file, encoder, source(), Progress.NONE);
    assertThatThrownBy(
            () ->
                DatasetWriter.write(
                    file, encoder, breakingOff(source(), 2048, () -> {}), Progress.NONE))
        .hasMessage("broken off");
    try (EncodedDataset data = EncodedDataset.open(file, encoder)) {
      assertThat(data.rows()).isEqualTo(ROWS);
    }
  }

  @Test
  void fingerprint_followsRowsSchemaAndVocabularies() {
    FeatureEncoder encoder = encoder("vocabulary");
    long first = fingerprint("a", encoder, source());
    assertThat(fingerprint("b", encoder, source())).isEqualTo(first);
    assertThat(fingerprint("c", encoder, source(1700))).isNotEqualTo(first);
    assertThat(fingerprint("d", encoder("hash"), source())).isNotEqualTo(first);
  }

  private long fingerprint(String name, FeatureEncoder encoder, RowSource source) {
    DatasetWriter.write(folder.resolve(name), encoder, source, Progress.NONE);
    try (EncodedDataset data = EncodedDataset.open(folder.resolve(name), encoder)) {
      return data.fingerprint();
    }
  }

  @Test
  void open_otherVocabulary_isRefused() {
    Path file = folder.resolve("data.bin");
    DatasetWriter.write(file, encoder("vocabulary"), source(), Progress.NONE);
    FeatureEncoder other =
        new FeatureEncoder(
            encoder("vocabulary").schema(),
            Map.of("user", Vocabulary.of(ValueType.INT64, List.of("1", "2", "4"))));
    assertThatThrownBy(() -> EncodedDataset.open(file, other))
        .hasMessage(
            file + " was encoded with another schema or other vocabularies; encode it again");
  }

  @Test
  void open_truncatedOrForeignFile_isRefused() throws IOException {
    Path file = folder.resolve("data.bin");
    FeatureEncoder encoder = encoder("vocabulary");
    DatasetWriter.write(file, encoder, source(), Progress.NONE);
    byte[] bytes = Files.readAllBytes(file);
    Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(bytes, bytes.length - 1));
    assertThatThrownBy(() -> EncodedDataset.open(cut, encoder))
        .hasMessage(
            "%s has %d bytes; its 2500 rows need %d"
                .formatted(cut, bytes.length - 1, bytes.length));
    Path foreign = Files.writeString(folder.resolve("foreign"), "x".repeat(200));
    assertThatThrownBy(() -> EncodedDataset.open(foreign, encoder))
        .hasMessage(foreign + " is not an encoded data set");
    Path tiny = Files.writeString(folder.resolve("tiny"), "x");
    assertThatThrownBy(() -> EncodedDataset.open(tiny, encoder))
        .hasMessage(tiny + " has 1 bytes; an encoded data set is longer");
  }
}
