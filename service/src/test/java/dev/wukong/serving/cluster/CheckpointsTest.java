package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.cluster.ObjectStore.Stored;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointsTest {
  private static final long NOW = 1_700_000_000_000L;

  @TempDir Path folder;

  private FolderObjects objects() {
    return new FolderObjects(folder.resolve("shared"));
  }

  private Checkpoints checkpoints(int kept) {
    return new Checkpoints(objects(), "ctr", kept);
  }

  /** What looks like a store: each file has what is given for it. */
  private Path store(String name, String... files) throws Exception {
    Path store = Files.createDirectories(folder.resolve(name));
    for (String file : files) {
      String[] parts = file.split("=", -1);
      Files.writeString(store.resolve(parts[0]), parts[1]);
    }
    return store;
  }

  private static List<String> in(Path store) throws Exception {
    try (Stream<Path> files = Files.list(store)) {
      return files
          .filter(Files::isRegularFile)
          .map(
              file -> {
                try {
                  return file.getFileName() + "=" + Files.readString(file);
                } catch (java.io.IOException e) {
                  throw new IllegalStateException(e);
                }
              })
          .sorted()
          .toList();
    }
  }

  private Path put(int sequence, String... files) throws Exception {
    Path store = store("copy" + sequence, files);
    Checkpoint _ = checkpoints(3).put(store, new CommitOrder(10 + sequence, 2, sequence), "r", NOW);
    return store;
  }

  @Test
  void restore_afterPut_hasTheFilesOfTheNewestAndKeepsOtherFolders() throws Exception {
    Path _ = put(1, "CURRENT=M1", "1.sst=a", "LOCK=", "LOG=x", "IDENTITY=i");
    Path _ = put(2, "CURRENT=M2", "1.sst=a", "2.sst=b");
    Path target = store("store", "CURRENT=old", "9.sst=old");
    Files.createDirectories(target.resolve("plans"));
    Files.writeString(target.resolve("plans/ctr"), "mine");

    assertThat(checkpoints(3).restore(target))
        .contains("ctr/checkpoints/00000000000000000002-2.json");
    assertThat(in(target)).containsExactly("1.sst=a", "2.sst=b", "CURRENT=M2");
    assertThat(target.resolve("plans/ctr")).hasContent("mine");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.map(Path::getFileName).map(Path::toString)).doesNotContain("store.restoring");
    }
  }

  @Test
  void restore_nothingThere_changesNothing() throws Exception {
    Path target = store("store", "CURRENT=old");
    assertThat(checkpoints(3).restore(target)).isEmpty();
    assertThat(in(target)).containsExactly("CURRENT=old");
  }

  @ParameterizedTest
  @ValueSource(strings = {"damaged", "short", "missing", "no-json", "renamed", "outside"})
  void restore_newestIsNotWhole_takesTheOneBefore(String how) throws Exception {
    Path _ = put(1, "CURRENT=M1", "1.sst=first");
    Path _ = put(2, "CURRENT=M2", "2.sst=second");
    Path shared = folder.resolve("shared");
    Path newest = shared.resolve("ctr/checkpoints/00000000000000000002-2.json");
    Checkpoint made = Checkpoint.of(Files.readAllBytes(newest));
    Path object = shared.resolve(made.files().getFirst().object("ctr"));
    switch (how) {
      case "damaged" -> Files.writeString(object, "secone");
      case "short" -> Files.writeString(object, "secon");
      case "missing" -> Files.delete(object);
      case "no-json" -> Files.writeString(newest, "{\"format\":1");
      case "renamed" -> Files.move(newest, newest.resolveSibling("00000000000000000009-2.json"));
      default ->
          Files.writeString(newest, Files.readString(newest).replace("\"2.sst\"", "\"../2.sst\""));
    }

    Path target = folder.resolve("store");
    assertThat(checkpoints(3).restore(target))
        .contains("ctr/checkpoints/00000000000000000001-2.json");
    assertThat(in(target)).containsExactly("1.sst=first", "CURRENT=M1");
  }

  @Test
  void put_whatIsThereAlready_isNotPutAgain() throws Exception {
    Path _ = put(1, "CURRENT=M1", "1.sst=a");
    Path _ = put(2, "CURRENT=M1", "1.sst=a", "2.sst=b");
    assertThat(objects().list("ctr/objects")).hasSize(3);
  }

  @Test
  void put_moreThanAreKept_forgetsTheOldestAndWhatNobodyNamesOnceItIsOld() throws Exception {
    for (int i = 1; i <= 5; i++) {
      Path _ = put(i, "CURRENT=M", i + ".sst=" + i);
    }
    assertThat(objects().list("ctr/checkpoints")).hasSize(3);
    // Written a moment ago, so another process may be about to name them.
    assertThat(objects().list("ctr/objects")).hasSize(6);

    for (Stored object : objects().list("ctr/objects")) {
      Files.setLastModifiedTime(
          folder.resolve("shared").resolve(object.name()),
          java.nio.file.attribute.FileTime.fromMillis(NOW - 3 * 3_600_000));
    }
    Path _ = put(6, "CURRENT=M", "6.sst=6");
    assertThat(objects().list("ctr/objects")).hasSize(4);
    assertThat(checkpoints(3).restore(folder.resolve("store"))).isPresent();
  }

  @Test
  void newest_ofSeveral_saysWhichCommitsItHolds() throws Exception {
    assertThat(checkpoints(3).newest(folder.resolve("work"))).isEmpty();
    Path _ = put(9, "CURRENT=M");
    Path _ = put(10, "CURRENT=M");
    assertThat(checkpoints(3).newest(folder.resolve("work")).orElseThrow().order())
        .isEqualTo(new CommitOrder(20, 2, 10));
  }

  @Test
  void objects_nameOutsideTheFolder_isRefused() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "x", StandardCharsets.US_ASCII);
    for (String name : List.of("../x", "/etc/x", "a/../../x", "x.part")) {
      assertThatThrownBy(() -> objects().put(name, file))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("'%s' is no name of an object".formatted(name));
    }
  }
}
