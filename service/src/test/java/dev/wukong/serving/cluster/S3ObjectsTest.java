package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.cluster.ObjectStore.Stored;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Objects in a bucket of a store that others have written. */
class S3ObjectsTest {
  private static final Map<String, String> CREDENTIALS =
      Map.of("aws.accessKeyId", "someone", "aws.secretAccessKey", "secret");

  private static Bucket bucket;

  @TempDir Path folder;
  private S3Objects objects;

  @BeforeAll
  static void begin() throws Exception {
    bucket = Bucket.start();
    CREDENTIALS.forEach(System::setProperty);
  }

  @AfterAll
  static void end() {
    CREDENTIALS.keySet().forEach(System::clearProperty);
    if (bucket != null) {
      bucket.close();
    }
  }

  @BeforeEach
  void open() throws Exception {
    objects = S3Objects.of("s3://shared/ranking/" + folder.getFileName(), bucket.endpoint());
  }

  @AfterEach
  void close() {
    objects.close();
  }

  private Path file(String name, String text) throws Exception {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  void get_whatWasPut_isTheLastThatWas() throws Exception {
    Instant before = Instant.now().minusSeconds(2);
    objects.put("ctr/objects/a", file("one", "first"));
    objects.put("ctr/objects/a", file("two", "second"));
    objects.put("ctr/objects/b", file("none", ""));
    objects.put("ctr-2/objects/c", file("other", "x"));

    objects.get("ctr/objects/a", folder.resolve("got"));
    assertThat(folder.resolve("got")).hasContent("second");
    objects.get("ctr/objects/b", folder.resolve("empty"));
    assertThat(folder.resolve("empty")).isEmptyFile();
    List<Stored> found = objects.list("ctr/objects");
    assertThat(found)
        .extracting(Stored::name, Stored::size)
        .containsExactlyInAnyOrder(
            org.assertj.core.groups.Tuple.tuple("ctr/objects/a", 6L),
            org.assertj.core.groups.Tuple.tuple("ctr/objects/b", 0L));
    assertThat(found)
        .allSatisfy(
            one -> assertThat(Instant.ofEpochMilli(one.putMs())).isBetween(before, Instant.now()));
    assertThat(objects.list("ctr")).hasSize(2); // And not those of ctr-2.
  }

  @Test
  void delete_whetherItIsThereOrNot_isNotThereThen() throws Exception {
    objects.put("ctr/objects/a", file("one", "first"));
    objects.delete("ctr/objects/a");
    objects.delete("ctr/objects/a");
    assertThat(objects.list("ctr/objects")).isEmpty();
    assertThatThrownBy(() -> objects.get("ctr/objects/a", folder.resolve("got")))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessage("ctr/objects/a");
    assertThat(folder.resolve("got")).doesNotExist();
  }

  @Test
  void list_moreThanOnePage_isAll() throws Exception {
    Path one = file("one", "x");
    for (int i = 0; i < 1003; i++) {
      objects.put("many/" + i, one);
    }
    assertThat(objects.list("many")).hasSize(1003);
  }

  @Test
  void checkpoint_throughABucket_comesBackWhole() throws Exception {
    Path store = Files.createDirectories(folder.resolve("copy"));
    Files.writeString(store.resolve("CURRENT"), "M");
    Files.writeString(store.resolve("1.sst"), "rows");
    Checkpoints checkpoints = new Checkpoints(objects, "ctr", 3);
    long now = Instant.now().toEpochMilli();
    Checkpoint _ = checkpoints.put(store, new CommitOrder(11, 2, 1), "one", now);
    Files.writeString(store.resolve("2.sst"), "more rows");
    Checkpoint _ = checkpoints.put(store, new CommitOrder(12, 2, 2), "one", now);

    Path target = folder.resolve("store");
    assertThat(new Checkpoints(objects, "ctr", 3).restore(target))
        .contains("ctr/checkpoints/00000000000000000002-2.json");
    assertThat(target.resolve("1.sst")).hasContent("rows");
    assertThat(target.resolve("2.sst")).hasContent("more rows");
    assertThat(objects.list("ctr/objects")).hasSize(3); // What has not changed lies there once.
  }

  @Test
  void put_noSuchBucket_saysSo() throws Exception {
    Path one = file("one", "x");
    try (S3Objects elsewhere = S3Objects.of("s3://nowhere", bucket.endpoint())) {
      assertThatThrownBy(() -> elsewhere.put("ctr/objects/a", one))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("ctr/objects/a cannot be put: ")
          .hasMessageContaining("bucket");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "s3://,'',location is 's3://'",
    "s3://a,'',location is 's3://a'",
    "s3://Shared/x,'',location is 's3://Shared/x'",
    "s3://shared//x,'',location is 's3://shared//x'",
    "gs://shared,'',location is 'gs://shared'",
    "s3://shared,minio:9000,endpoint is 'minio:9000'",
    "s3://shared,ftp://minio,endpoint is 'ftp://minio'",
  })
  void check_notAsItMustBe_saysWhatIs(String location, String endpoint, String said) {
    assertThatThrownBy(() -> S3Objects.check(location, endpoint))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(said + "; allowed are ");
  }
}
