package dev.wukong.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.config.ConfigException;
import dev.wukong.data.DataException;
import dev.wukong.data.FileFormat;
import dev.wukong.data.RowSource;
import dev.wukong.ranker.WukongConfig;
import dev.wukong.simulator.RuleWorld;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;

class ConfigTreeTest {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  @TempDir Path folder;

  private static RunConfig frappe(Map<String, JsonNode> set) {
    return ConfigTree.read("frappe").with(set).config();
  }

  @Test
  void with_dottedKeys_changeOnlyWhatTheyName() {
    RunConfig before = RunConfig.read("frappe");
    RunConfig after =
        frappe(
            Map.of(
                "model.embedding.width",
                NODES.numberNode(16),
                "model.attention.compressed", // The file has no such section.
                NODES.numberNode(2),
                "training.rows.l2",
                NODES.numberNode(0.25)));
    WukongConfig model = (WukongConfig) after.model();
    assertThat(model.embedding().width()).isEqualTo(16);
    assertThat(model.attention().compressed()).isEqualTo(2);
    assertThat(after.training().rows().l2()).isEqualTo(0.25);
    assertThat(model.head()).isEqualTo(((WukongConfig) before.model()).head());
    assertThat(after.schema()).isEqualTo(before.schema());
    assertThat(RunConfig.read("frappe")).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "model.layrs; frappe.yaml: model.layrs is not known, want one of",
        "model.layers.deep; frappe.yaml: 'model.layers.deep' cannot be set: model.layers is 1",
        "model.; frappe.yaml: 'model.' is no key",
        "training.rows.l3; frappe.yaml: training.rows.l3 is not known"
      })
  void with_badKey_isNamed(String key, String message) {
    assertThatThrownBy(() -> frappe(Map.of(key, NODES.numberNode(3))))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(message);
  }

  @Test
  void with_badValue_namesKeyValueAndRange() {
    assertThatThrownBy(() -> frappe(Map.of("model.layers", NODES.numberNode(1000))))
        .hasMessage("frappe.yaml: model.layers is 1000, want a whole number from 1 to 64");
  }

  private RunConfig simulated(String data) {
    return new ConfigTree(
            "x.yaml:", (tools.jackson.databind.node.ObjectNode) new YAMLMapper().readTree(data))
        .config();
  }

  @Test
  void simulator_splits_followEachOtherAndHaveTheirRows() {
    DataConfig data =
        simulated("{name: x, data: {simulator: {seed: 2, train: 40, valid: 20, test: 30}}}").data();
    Splits splits = Splits.of(data, folder);
    assertThat(rows(splits.train().get())).isEqualTo(40);
    assertThat(rows(splits.valid().orElseThrow().get())).isEqualTo(20);
    assertThat(rows(splits.test().orElseThrow().get())).isEqualTo(30);
    try (RowSource train = splits.train().get();
        RowSource valid = splits.valid().orElseThrow().get()) {
      int user = train.columns().indexOf("user");
      assertThat(train.next() && valid.next()).isTrue();
      assertThat(valid.value(user)).isNotEqualTo(train.value(user));
    }
  }

  /** Held-out rows that do not move with the size of the training data. */
  @Test
  void simulator_heldOutAfter_areTheSameRowsWithLessToTrainOn() {
    List<String> most = heldOut("train: 40, valid: 20, test: 30");
    assertThat(heldOut("train: 20, valid: 20, test: 30, held_out_after: 40")).isEqualTo(most);
    assertThat(heldOut("train: 20, valid: 20, test: 30")).isNotEqualTo(most);
  }

  private List<String> heldOut(String rows) {
    DataConfig data = simulated("{name: x, data: {simulator: {seed: 2, " + rows + "}}}").data();
    Splits splits = Splits.of(data, folder);
    List<String> values = new ArrayList<>();
    for (var split : List.of(splits.valid(), splits.test())) {
      try (RowSource source = split.orElseThrow().get()) {
        while (source.next()) {
          for (int c = 0; c < source.columns().size(); c++) {
            values.add(String.valueOf(source.value(c)));
          }
        }
      }
    }
    return values;
  }

  private static int rows(RowSource source) {
    int rows = 0;
    try (source) {
      while (source.next()) {
        rows++;
      }
    }
    return rows;
  }

  @Test
  void simulator_rules_hasItsOwnSchemaAndRows() {
    RunConfig config =
        simulated("{name: x, data: {simulator: {world: rules, train: 40, test: 12}}}");
    Splits splits = Splits.of(config.data(), folder);
    assertThat(rows(splits.train().get())).isEqualTo(40);
    assertThat(rows(splits.test().orElseThrow().get())).isEqualTo(12);
    assertThat(config.schema()).isEqualTo(new RuleWorld(1).schema());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{train: 45}; data.simulator.train is 45, want a multiple of 10, the rows of a request",
        "{train: 40, test: 5}; data.simulator.test is 5, want a multiple of 10",
        "{world: moon, train: 40}; data.simulator.world is 'moon', want one of clicks, rules",
        "{valid: 40}; data.simulator.train is missing",
        "{train: 40, held_out_after: 30}; data.simulator.held_out_after is 30, want at least the"
            + " 40",
        "{train: 40, held_out_after: 45}; data.simulator.held_out_after is 45, want a multiple of"
            + " 10",
        "{train: 40, sed: 1}; data.simulator.sed is not known"
      })
  void simulator_badSection_isNamed(String section, String message) {
    assertThatThrownBy(() -> simulated("{name: x, data: {simulator: " + section + "}}"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("x.yaml: " + message);
  }

  @Test
  void truth_badValueOrColumn_isNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("t.csv"), "a,p\n1,0.5\n2,1.5\n");
    try (RowSource source = FileFormat.guess(file).open(file);
        TruthColumn truth = new TruthColumn(source, "p")) {
      assertThat(truth.next()).isTrue();
      assertThatThrownBy(truth::next)
          .isInstanceOf(DataException.class)
          .hasMessageEndingWith("t.csv, row 2: column 'p' is '1.5', want a probability, 0 to 1");
      assertThat(truth.values()[0]).isEqualTo(0.5);
    }
    try (RowSource source = FileFormat.guess(file).open(file)) {
      assertThatThrownBy(() -> new TruthColumn(source, "q"))
          .hasMessageEndingWith("t.csv has no column 'q', which data.truth names; it has a, p");
    }
  }
}
