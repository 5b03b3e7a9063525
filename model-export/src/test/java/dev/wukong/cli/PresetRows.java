package dev.wukong.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Made-up rows in the layouts of published data sets that may not be shipped: the same columns,
 * separators and kinds of values.
 *
 * @param item an id column whose ids {@code history} shares
 * @param history the sequence column
 * @param maxIds how many of a sequence are kept
 * @param minCount of the item's ids
 */
record PresetRows(
    String preset, List<Column> columns, String item, String history, int maxIds, int minCount) {
  /** What a column's cells hold. */
  enum Kind {
    LABEL,
    ID,
    SEQUENCE,
    VECTOR,
    PRICE
  }

  /** A column of the data. */
  record Column(String name, Kind kind) {}

  /** A row: the cell of each column. */
  record Row(Map<String, String> cells) {
    Row with(String column, String cell) {
      if (!cells.containsKey(column)) {
        throw new IllegalArgumentException("no column " + column);
      }
      Map<String, String> changed = new LinkedHashMap<>(cells);
      changed.put(column, cell);
      return new Row(changed);
    }
  }

  static final PresetRows KUAIVIDEO =
      new PresetRows(
          "kuaivideo",
          columns(
              "timestamp user_id item_id is_click:label is_like is_follow pos_items:sequence"
                  + " neg_items:sequence item_emb:vector"),
          "item_id",
          "pos_items",
          100,
          10);

  static final PresetRows MICROVIDEO =
      new PresetRows(
          "microvideo",
          columns(
              "is_click:label timestamp user_id item_id cate_id clicked_items:sequence"
                  + " clicked_categories:sequence item_emb:vector"),
          "item_id",
          "clicked_items",
          100,
          1);

  static final PresetRows TAOBAOADS =
      new PresetRows(
          "taobaoads",
          columns(
              "clk:label btag_his:sequence cate_his:sequence brand_his:sequence userid cms_segid"
                  + " cms_group_id final_gender_code age_level pvalue_level shopping_level"
                  + " occupation new_user_class_level adgroup_id cate_id campaign_id customer brand"
                  + " price:price pid btag"),
          "cate_id",
          "cate_his",
          50,
          10);

  static final List<PresetRows> ALL = List.of(KUAIVIDEO, MICROVIDEO, TAOBAOADS);

  private static final int VALUES = 20;
  private static final int WIDTH = 64;

  private static List<Column> columns(String names) {
    return List.of(names.split(" ")).stream()
        .map(name -> name.split(":"))
        .map(
            parts ->
                new Column(
                    parts[0],
                    parts.length == 1 ? Kind.ID : Kind.valueOf(parts[1].toUpperCase(Locale.ROOT))))
        .toList();
  }

  /** Rows of {@code seed} whose ids are 1 to 20; the first two have both labels. */
  List<Row> rows(int count, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Map<String, String> cells = new LinkedHashMap<>();
      for (Column column : columns) {
        cells.put(
            column.name(),
            switch (column.kind()) {
              case LABEL -> String.valueOf(i < 2 ? i : random.nextInt(2));
              case ID -> id(random);
              case SEQUENCE -> sequence(random.nextInt(8), random);
              case VECTOR -> vector(WIDTH, random);
              case PRICE -> String.format(Locale.ROOT, "%.1f", 500 * random.nextDouble());
            });
      }
      rows.add(new Row(cells));
    }
    return rows;
  }

  private static String id(SplittableRandom random) {
    return String.valueOf(1 + random.nextInt(VALUES));
  }

  static String sequence(int length, SplittableRandom random) {
    return IntStream.range(0, length).mapToObj(_ -> id(random)).collect(Collectors.joining("^"));
  }

  static String vector(int width, SplittableRandom random) {
    return IntStream.range(0, width)
        .mapToObj(_ -> String.format(Locale.ROOT, "%.4f", random.nextDouble(-1, 1)))
        .collect(Collectors.joining("^"));
  }

  /** Columns whose cells are of {@code kind}. */
  List<String> of(Kind kind) {
    return columns.stream().filter(c -> c.kind() == kind).map(Column::name).toList();
  }

  /** Writes {@code rows} as CSV with a header. */
  Path write(Path file, List<Row> rows) throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add(columns.stream().map(Column::name).collect(Collectors.joining(",")));
    rows.forEach(row -> lines.add(String.join(",", row.cells().values())));
    return Files.write(file, lines);
  }

  @Override
  public String toString() {
    return preset;
  }
}
