package dev.wukong.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.DataException;
import dev.wukong.data.Feature;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.FileFormat;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.SchemaYaml;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The configurations and schemas that ship with the program. */
class ShippedConfigsTest {
  private static final Path SHIPPED = Path.of("src", "main", "resources", "configs");

  @TempDir Path folder;

  @ParameterizedTest
  @FieldSource("dev.wukong.run.ConfigTree#SHIPPED")
  void read_shipped_isWhole(String name) {
    RunConfig config = RunConfig.read(name);
    assertThat(config.name()).isEqualTo(name);
    assertThat(config.model().layout(config.schema()).tables()).isNotEmpty();
    assertThat(Schema.fromJson(config.schema().toJson(), "again")).isEqualTo(config.schema());
  }

  private static List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(SHIPPED)) {
      return files
          .map(file -> file.getFileName().toString().replace(".yaml", ""))
          .sorted()
          .toList();
    }
  }

  @Test
  void shipped_namesEveryFile() throws IOException {
    assertThat(files().stream().filter(name -> !name.endsWith("-schema")))
        .filteredOn(name -> !name.equals("quickstart")) // Its schema is the simulator's.
        .isEqualTo(ConfigTree.SHIPPED);
    assertThatThrownBy(() -> ConfigTree.read("nothing"))
        .hasMessageContaining("(" + String.join(", ", ConfigTree.SHIPPED) + ")");
  }

  static Stream<String> schemas() throws IOException {
    return files().stream().filter(name -> name.endsWith("-schema"));
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void schemaFile_shipped_isFoundFromAnyFolder(String name) throws IOException {
    Schema shipped = SchemaYaml.read(SHIPPED.resolve(name + ".yaml"));
    Path own =
        Files.writeString(
            folder.resolve("own.yaml"),
            "name: own\ndata: {train: t.parquet}\nschema_file: %s.yaml\n".formatted(name));
    assertThat(RunConfig.read(own.toString()).schema()).isEqualTo(shipped);

    Files.writeString(
        folder.resolve(name + ".yaml"),
        "name: beside\nfeatures: [{name: a, type: int64}]\ntasks: [{name: click}]\n");
    assertThat(RunConfig.read(own.toString()).schema().name()).isEqualTo("beside");
  }

  @Test
  void schemaFile_nowhere_isRefused() throws IOException {
    Path own =
        Files.writeString(
            folder.resolve("own.yaml"),
            "name: own\ndata: {train: t.csv}\nschema_file: no-schema.yaml\n");
    assertThatThrownBy(() -> RunConfig.read(own.toString()))
        .isInstanceOf(DataException.class)
        .hasMessage(folder.resolve("no-schema.yaml") + " is not a file");
  }

  /** The benchmark's settings of each data set, as it documents them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "kuaivideo; is_click; 64; 10; 100; user_id pos_items neg_items; item_id item_emb",
        "microvideo; is_click; 64; 1; 100; user_id clicked_items clicked_categories;"
            + " item_id cate_id item_emb",
        "taobaoads; clk; 32; 10; 50; userid cms_segid cms_group_id final_gender_code age_level"
            + " pvalue_level shopping_level occupation new_user_class_level pid cate_his brand_his"
            + " btag_his; adgroup_id cate_id campaign_id customer brand btag price"
      })
  void preset_ofTheBenchmark_hasItsLayout(
      String name,
      String label,
      int width,
      int minCount,
      int longest,
      String context,
      String rest) {
    RunConfig config = RunConfig.read(name);
    assertThat(config.schema().tasks().stream().map(Task::column)).containsExactly(label);
    assertThat(config.model().embedding().width()).isEqualTo(width);
    assertThat(names(config.schema(), Scope.CONTEXT)).containsExactly(context.split(" "));
    assertThat(names(config.schema(), Scope.CANDIDATE)).containsExactly(rest.split(" "));
    for (Feature feature : config.schema().features()) {
      switch (feature) {
        case IdFeature ids -> {
          assertThat(ids.mapping()).isEqualTo(new IdMapping.Vocabulary(minCount));
          boolean sequence = !ids.idSpace().equals(ids.name());
          assertThat(ids.maxIds()).isEqualTo(sequence ? longest : 1);
          assertThat(ids.separator()).isEqualTo(sequence ? "^" : IdFeature.SEPARATOR);
        }
        case NumberFeature number ->
            assertThat(number.width()).isEqualTo(number.name().equals("item_emb") ? 64 : 1);
      }
    }
  }

  private static List<String> names(Schema schema, Scope scope) {
    return schema.features().stream().filter(f -> f.scope() == scope).map(Feature::name).toList();
  }

  /** The ratings in time order have one column more, which the schema leaves alone. */
  @Test
  void ml100k_timeline_isReadWithItsSchema() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("timeline.csv"),
            """
            timestamp,label,user,item,age,gender,occupation,zip,year,genres
            880000001,1,7,31,44,F,artist,10001,1994,Drama|Sci-Fi
            880000002,0,8,31,19,M,student,T8H1N,1994,Drama|Sci-Fi
            880000009,1,7,40,44,F,artist,10001,,Film-Noir
            """);
    Schema schema = RunConfig.read("ml100k").schema();
    Datasets datasets = new Datasets(new PrintWriter(new StringWriter()), false);
    FileFormat format = FileFormat.guess(file);
    FeatureEncoder encoder = datasets.encoder(schema, () -> format.open(file));
    try (var encoded =
        datasets.encode(file, format, encoder, folder.resolve("timeline.encoded"), true)) {
      assertThat(encoded.rows()).isEqualTo(3);
    }
    assertThat(encoder.vocabularies().entrySet())
        .filteredOn(space -> space.getKey().equals("genres"))
        .flatExtracting(space -> space.getValue().values())
        .contains("Film-Noir", "Sci-Fi")
        .noneMatch(genre -> genre.toString().contains("|"));
  }
}
