package dev.wukong.ranker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Schema;
import dev.wukong.data.SchemaYaml;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import java.util.List;
import org.junit.jupiter.api.Test;

class TableWidthsTest {
  /** As a table read by pandas names its columns. */
  private static final Schema NUMBERED =
      schema("{name: item}", "{name: item.1}", "{name: item.2}", "{name: 'item.'}");

  private static final Schema SHARING =
      schema("{name: item}", "{name: hist, max_ids: 3, shares: item}", "{name: other}");

  private static Schema schema(String... features) {
    StringBuilder yaml = new StringBuilder("name: s\nfeatures:\n");
    for (String feature : features) {
      yaml.append("  - ").append(feature.replace("}", ", type: int64}")).append('\n');
    }
    return SchemaYaml.parse(yaml + "tasks: [{name: click}]\n", "s");
  }

  private static RankerConfig model(String yaml) {
    return RankerConfig.read(Section.parse("test", yaml).section("model"));
  }

  private static InputLayout layout(Schema schema, String model) {
    return model("model: " + model).layout(schema);
  }

  private static List<Table> tables(InputLayout layout, String feature) {
    return layout.columns(Scope.CANDIDATE).stream()
        .filter(c -> c.feature().name().equals(feature))
        .map(IdColumns::table)
        .toList();
  }

  @Test
  void tables_featuresNamedAsTables_haveTheirOwn() {
    InputLayout layout =
        layout(NUMBERED, "{type: wukong, embedding: {width: 4, counts: {item: 3, 'item.': 2}}}");
    assertThat(layout.tables()).hasSize(7);
    assertThat(layout.tables().stream().map(Table::name)).doesNotHaveDuplicates();
    for (IdColumns column : layout.columns(Scope.CANDIDATE)) {
      assertThat(column.table().idSpace()).isEqualTo(column.feature().idSpace());
    }
    assertThat(tables(layout, "item.2").stream().map(Table::name)).containsExactly("item.2");
  }

  /** AFN+ has a table for its logarithms and one for its deep part, for all of an id space. */
  @Test
  void tables_ofSharedIds_areSharedByWhatTheyAreFor() {
    InputLayout layout =
        layout(
            SHARING, "{type: afn, embedding: {width: 4, counts: {item: 2}}, deep: {hidden: [4]}}");
    List<Table> item = tables(layout, "item");
    List<Table> hist = tables(layout, "hist");
    assertThat(item).hasSize(3).doesNotHaveDuplicates();
    assertThat(hist).containsExactly(item.getFirst(), item.getLast());
    assertThat(tables(layout, "other")).hasSize(2).doesNotContainAnyElementsOf(item);
  }

  @Test
  void tables_ofLinearWeights_areNoEmbeddings() {
    InputLayout layout =
        layout(SHARING, "{type: xdeepfm, embedding: {width: 4, counts: {item: 2}}}");
    assertThat(tables(layout, "item").stream().map(Table::width)).containsExactly(4, 4, 1);
    assertThat(tables(layout, "hist").stream().map(Table::width)).containsExactly(4, 1);
    assertThat(tables(layout, "hist").getLast()).isEqualTo(tables(layout, "item").getLast());
  }

  @Test
  void tables_ofBothGates_areTwo() {
    InputLayout layout =
        layout(
            SHARING,
            "{type: finalmlp, embedding: {width: 4}, selection: {first: [item], second: [hist]}}");
    List<Table> item = tables(layout, "item");
    List<Table> hist = tables(layout, "hist");
    assertThat(item).hasSize(2);
    assertThat(hist).hasSize(2).startsWith(item.getFirst());
    assertThat(hist.getLast()).isNotEqualTo(item.getLast());
    assertThat(tables(layout, "other")).hasSize(1);
  }

  @Test
  void widths_thatDifferForSharedIds_areRefusedByTheirKey() {
    assertThatThrownBy(() -> layout(SHARING, "{type: dlrm, embedding: {widths: {item: 8}}}"))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "model.embedding.widths gives feature 'item' width 8 and feature 'hist' width 16, want"
                + " the same: they share their ids and tables");
  }
}
