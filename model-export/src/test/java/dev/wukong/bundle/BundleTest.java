package dev.wukong.bundle;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundleTest {
  @TempDir Path root;

  @Test
  void open_writtenBundle_givesEverythingBack() throws IOException {
    Path folder = SampleBundle.write(root);
    assertThat(folder).isEqualTo(root.toRealPath().resolve("clicks/1"));
    assertThat(names(folder))
        .containsExactly(
            "dense.safetensors",
            "manifest.json",
            "predict.fp16.onnx",
            "predict.onnx",
            "rows/item-00000.safetensors",
            "rows/user-00000.safetensors",
            "rows/user-00001.safetensors",
            "rows/user-00002.safetensors",
            "rows/user-00003.safetensors",
            "state/user-00000.safetensors",
            "state/user-00001.safetensors",
            "train.onnx",
            "vocabularies.json");
    try (Bundle bundle = Bundle.open(folder)) {
      assertThat(bundle.manifest().version()).isEqualTo(1);
      assertThat(bundle.manifest().tables())
          .extracting(TableRows::rows)
          .containsExactly(4L, 1L, 0L);
      assertThat(bundle.layout()).isEqualTo(SampleBundle.draft().layout());
      assertThat(bundle.vocabularies())
          .isEqualTo(Map.of("item", List.of("tea", "naïve \"quote\"", "größe")));
      assertThat(bundle.encoder().schema()).isEqualTo(SampleBundle.schema());
      assertThat(bundle.encoder().vocabularies()).containsOnlyKeys("item");
      assertThat(bundle.graphs())
          .containsExactly("predict.fp16.onnx", "predict.onnx", "train.onnx");
      assertThat(bundle.graph("predict.onnx")).isEqualTo(SampleBundle.graph("Relu").toByteArray());
      assertThat(bundle.dense()).containsOnlyKeys("w", "adam.step");
      FloatTensor weights = bundle.tensors("dense.safetensors").tensor("w").toFloatTensor();
      assertThat(weights.shape()).containsExactly(2L, 3L);
      assertThat(weights.data()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(rows(bundle, "user"))
          .containsExactly(
              "0:0.0,1.0", "1:2.0,3.0", "7:4.0,5.0", (RowKey.ID_LIMIT - 1) + ":6.0,7.0");
      assertThat(rows(bundle, "item")).containsExactly("2:1.0,2.0,3.0,4.0");
      assertThat(rows(bundle, "hour")).isEmpty();
      float[] expected = SampleBundle.golden().probabilities();
      assertThat(bundle.checkGolden("predict.onnx", 0, (c, i, of) -> expected)).isZero();
      assertThatThrownBy(
              () -> bundle.checkGolden("predict.fp16.onnx", 1e-3, (c, i, of) -> new float[6]))
          .hasMessageStartingWith(
              "golden rows of 'clicks' version 1, predict.fp16.onnx: row 2, task 'click'");
      List<String> state = new ArrayList<>();
      bundle.forEachState(
          SampleBundle.table("user"),
          (ids, values) -> values.forEach((name, v) -> state.add(ids.get(0) + name + v.get(0))));
      assertThat(state).containsExactly("0sum1.0", "7sum2.0");
    }
  }

  @Test
  void graph_changedAfterOpening_refuses() throws IOException {
    Path folder = SampleBundle.write(root);
    try (Bundle bundle = Bundle.open(folder)) {
      byte[] bytes = Files.readAllBytes(folder.resolve("predict.onnx"));
      bytes[0] ^= 1;
      Files.write(folder.resolve("predict.onnx"), bytes);
      assertThatThrownBy(() -> bundle.graph("predict.onnx"))
          .hasMessage(
              "bundle %s: file 'predict.onnx' was changed after it was verified".formatted(folder));
      assertThatThrownBy(() -> bundle.graph("manifest.json"))
          .hasMessage(
              "bundle %s: there is no graph 'manifest.json', only [predict.fp16.onnx, predict.onnx, train.onnx]"
                  .formatted(folder));
    }
  }

  @Test
  void store_severalVersions_findsNewest() throws IOException {
    BundleStore store = new BundleStore(root.resolve("bundles"));
    assertThat(store.models()).isEmpty();
    assertThat(store.newest("clicks")).isEmpty();
    SampleBundle.write(store.root());
    try (BundleWriter writer = BundleWriter.create(store.root(), "clicks", 10)) {
      SampleBundle.fill(writer);
      writer.finish(SampleBundle.draft());
    }
    SampleBundle.write(store.root());
    Files.createDirectory(store.root().resolve("clicks/99")); // Without a manifest.
    Files.createDirectories(store.root().resolve("clicks/old"));
    Files.createDirectories(store.root().resolve("Not a model/1"));
    assertThat(store.models()).containsExactly("clicks");
    assertThat(store.versions("clicks")).containsExactly(1L, 10L, 11L);
    assertThat(store.newest("clicks")).contains(store.path("clicks", 11));
    try (BundleWriter writer = BundleWriter.create(store.root(), "clicks")) {
      assertThat(writer.version()).isEqualTo(100);
    }
    assertThatThrownBy(() -> BundleWriter.create(store.root(), "clicks", 10))
        .isInstanceOf(BundleException.class)
        .hasMessage(
            "bundle %s: the version exists"
                .formatted(store.root().toRealPath().resolve("clicks/10")));
    try (Bundle bundle = store.open("clicks", 10)) {
      assertThat(bundle.manifest().version()).isEqualTo(10);
    }
  }

  @Test
  void writer_closedBeforeItIsFinished_leavesNothing() throws IOException {
    try (BundleWriter writer = BundleWriter.create(root, "clicks")) {
      SampleBundle.fill(writer);
      assertThat(names(root)).contains("clicks/.tmp-1/predict.onnx");
      assertThat(new BundleStore(root).versions("clicks")).isEmpty();
    }
    assertThat(names(root)).containsExactly("clicks/.lock");
  }

  /** What a killed writer leaves, at every stage: its temporary folder, and no lock. */
  @Test
  void leftovers_ofKilledWriter_areNoBundleAndAreRemoved() throws IOException {
    Path whole = SampleBundle.write(root);
    BundleStore store = new BundleStore(root);
    Path leftover = Files.move(whole, whole.resolveSibling(".tmp-1"));
    assertThat(store.models()).isEmpty();
    assertThat(store.versions("clicks")).isEmpty();
    assertThat(store.newest("clicks")).isEmpty();
    assertThatThrownBy(() -> Bundle.open(leftover))
        .hasMessage(
            "bundle %s: version '.tmp-1' is not allowed, it must be a number from 1"
                .formatted(leftover));
    BundleWriter.create(root, "clicks").close();
    assertThat(names(root)).containsExactly("clicks/.lock");

    Files.createDirectory(leftover);
    Files.writeString(leftover.resolve("predict.onnx"), "half");
    assertThat(SampleBundle.write(root)).hasFileName("2"); // The number 1 was given above.
    assertThat(leftover).doesNotExist();
  }

  /** Who keeps a number out, as servers do after a rollback, would keep out another bundle. */
  @Test
  void create_whenNewestWasRemoved_givesItsNumberNoMore() throws IOException {
    for (int version = 1; version <= 10; version++) {
      Disk.removeTree(SampleBundle.write(root));
    }
    try (BundleWriter unfinished = BundleWriter.create(root, "clicks")) {
      assertThat(unfinished.version()).isEqualTo(11);
    }
    assertThat(SampleBundle.write(root)).hasFileName("11");
    Path copied = Files.createDirectory(root.resolve("clicks/20"));
    Files.writeString(copied.resolve(Manifest.FILE), "{}");
    Path none = Files.createDirectory(root.resolve("clicks/30"));
    try (BundleWriter writer = BundleWriter.create(root, "clicks")) {
      assertThat(writer.version()).isEqualTo(31);
    }
    Disk.removeTree(copied);
    Files.delete(none);
    assertThat(SampleBundle.write(root)).hasFileName("21");
    try (BundleWriter writer = BundleWriter.createAbove(root, "clicks", 21)) {
      assertThat(writer.version()).isEqualTo(22);
    }
    try (BundleWriter writer = BundleWriter.createAbove(root, "clicks", 50)) {
      assertThat(writer.version()).isEqualTo(51);
    }
    try (BundleWriter lower = BundleWriter.create(root, "clicks", 5)) {
      SampleBundle.fill(lower);
      lower.finish(SampleBundle.draft());
    }
    assertThat(SampleBundle.write(root)).hasFileName("22");
  }

  @Test
  void create_whenLockHoldsNoNumber_refusesAndSaysWhatToDo() throws IOException {
    SampleBundle.write(root);
    Path lock = root.toRealPath().resolve("clicks/.lock");
    assertThat(lock).hasContent("1");
    for (String text : List.of("seven", "0", "1000000000000000000")) {
      Files.writeString(lock, text);
      assertThatThrownBy(() -> BundleWriter.create(root, "clicks"))
          .isInstanceOf(BundleException.class)
          .hasMessage(
              "%s: '%s' is not the number of a version; write the highest that the model has had,"
                  + " or remove the file",
              lock, text);
    }
    Files.writeString(lock, "9\n");
    assertThat(SampleBundle.write(root)).hasFileName("10");
    assertThat(lock).hasContent("10");
  }

  @Test
  void create_whileAnotherWrites_refuses() throws IOException {
    try (BundleWriter first = BundleWriter.create(root, "clicks")) {
      assertThat(first.version()).isEqualTo(1);
      String message =
          root.toRealPath().resolve("clicks")
              + ": another writer is at work, one bundle of a model is written at a time";
      assertThatThrownBy(() -> BundleWriter.create(root, "clicks"))
          .isInstanceOf(BundleException.class)
          .hasMessage(message);
      BundleWriter.create(root, "other").close();
    }
    BundleWriter.create(root, "clicks").close();
  }

  @Test
  void finish_bundleThatWouldNotOpen_refusesAndLeavesNothing() throws IOException {
    try (BundleWriter writer = BundleWriter.create(root, "clicks")) {
      writer.file("predict.fp16.onnx", SampleBundle.graph("Relu").toByteArray());
      assertThatThrownBy(() -> writer.finish(SampleBundle.draft()))
          .isInstanceOf(BundleException.class)
          .hasMessageEndingWith("file 'predict.onnx' is needed, the manifest lacks it");
    }
    try (BundleWriter writer = BundleWriter.create(root, "clicks")) {
      writer.file("predict.fp16.onnx", SampleBundle.graph("Relu").toByteArray());
      writer.file("predict.onnx", SampleBundle.graph("Loop").toByteArray());
      writer.vocabularies(Map.of("item", List.of()));
      assertThatThrownBy(() -> writer.finish(SampleBundle.draft()))
          .hasMessageEndingWith("predict.onnx: node 'n': operator 'Loop' is not allowed");
    }
    try (BundleWriter writer = BundleWriter.create(root, "clicks")) {
      OutputStream open = writer.file("predict.onnx");
      assertThatThrownBy(() -> writer.finish(SampleBundle.draft()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("files are still open: [predict.onnx]");
      open.close();
    }
    assertThat(names(root)).containsExactly("clicks/.lock");
  }

  @Test
  void write_badInput_refuses() throws IOException {
    Table user = SampleBundle.table("user");
    assertThatThrownBy(() -> BundleWriter.create(root, "../clicks"))
        .hasMessage("model name '../clicks' is not allowed, it must match [a-z0-9_-]{1,64}");
    assertThatThrownBy(() -> BundleWriter.create(root, "clicks", 0))
        .hasMessage("version '0' is not allowed, it must be a number from 1");
    Path link =
        Files.createSymbolicLink(root.resolve("link"), Files.createDirectory(root.resolve("real")));
    assertThatThrownBy(() -> BundleWriter.create(root, "link"))
        .hasMessage(root.toRealPath().resolve(link.getFileName()) + " is not a folder");
    try (BundleWriter writer = BundleWriter.create(root, "clicks")) {
      assertThatThrownBy(() -> writer.file("../x", new byte[0]))
          .isInstanceOf(BundleException.class)
          .hasMessageStartingWith("file name '../x' is not allowed");
      writer.file("notes.txt", "a".getBytes(UTF_8));
      assertThatThrownBy(() -> writer.file("notes.txt", new byte[0]))
          .hasMessage("file 'notes.txt' was written before");
      assertThatThrownBy(() -> writer.rows(user, new long[] {1, 2}, new float[2]))
          .hasMessage("table 'user': 2 values, expected 4 for 2 rows of width 2");
      assertThatThrownBy(() -> writer.rows(user, new long[] {2, 2}, new float[4]))
          .hasMessage(
              "table 'user': id 2 follows 2, ids must ascend and be from 0 to 281474976710655");
      assertThatThrownBy(() -> writer.rows(user, new long[] {-1}, new float[2]))
          .hasMessage(
              "table 'user': id -1 follows -1, ids must ascend and be from 0 to 281474976710655");
      assertThatThrownBy(
              () -> writer.rows(user, new long[] {1, 2}, new float[] {0, 0, 0, Float.NaN}))
          .hasMessage("table 'user', id 2: 'rows' holds NaN, values must be finite");
      Table odd = new Table(0, "a/b", "a", 1);
      assertThatThrownBy(() -> writer.rows(odd, new long[] {1}, new float[1]))
          .hasMessage(
              "table name 'a/b' is not allowed, it must match [A-Za-z0-9_][A-Za-z0-9_.-]{0,139}");
    }
  }

  private static List<String> rows(Bundle bundle, String table) {
    List<String> rows = new ArrayList<>();
    bundle.forEachRow(SampleBundle.table(table), (id, row) -> rows.add(id + ":" + join(row)));
    return rows;
  }

  private static String join(FloatBuffer row) {
    List<String> values = new ArrayList<>();
    while (row.hasRemaining()) {
      values.add(Float.toString(row.get()));
    }
    return String.join(",", values);
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(f -> folder.relativize(f).toString())
          .sorted()
          .toList();
    }
  }
}
