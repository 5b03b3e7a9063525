package dev.wukong.simulator;

import dev.wukong.data.RowSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The candidates of a {@link RuleWorld} one after another, each with its request's context. */
final class RuleRows implements RowSource {
  private static final List<String> COLUMNS = columnNames();
  private static final int FEATURES = RuleFeature.values().length;

  private final RuleWorld world;
  private final RuleDraw draw;
  private final int[] places;
  private final long from;
  private final long to;
  private long row;
  private double contextScore;
  private double probability;
  private boolean clicked;

  RuleRows(RuleWorld world, long from, long to) {
    if (from < 0 || to <= from) {
      throw new IllegalArgumentException(
          "requests %d to %d; at least one, from 0 on, is needed".formatted(from, to));
    }
    this.world = world;
    this.draw = new RuleDraw(world.parts());
    this.places = new int[world.scores().rules()];
    this.from = from;
    this.to = to;
  }

  private static List<String> columnNames() {
    List<String> columns = new ArrayList<>();
    for (RuleFeature feature : RuleFeature.values()) {
      columns.add(feature.name().toLowerCase(Locale.ROOT));
    }
    columns.add(Simulator.CLICK);
    columns.add(ClickSource.CLICK_PROBABILITY);
    return List.copyOf(columns);
  }

  @Override
  public String name() {
    return RuleWorld.WORLD_VERSION;
  }

  @Override
  public List<String> columns() {
    return COLUMNS;
  }

  @Override
  public boolean next() {
    long index = from + row / RuleWorld.CANDIDATES;
    if (index >= to) {
      return false;
    }
    int candidate = (int) (row % RuleWorld.CANDIDATES);
    if (candidate == 0) {
      draw.request(index);
      contextScore = world.scores().context(draw.levels(), places);
    }
    draw.candidate(candidate);
    double score = contextScore + world.scores().candidate(draw.levels(), places);
    probability = world.probability(score);
    clicked = world.labelDraw(index, candidate) < probability;
    row++;
    return true;
  }

  @Override
  public long row() {
    return row;
  }

  /** The current row's exact click probability. */
  double probability() {
    return probability;
  }

  boolean clicked() {
    return clicked;
  }

  @Override
  public @Nullable Object value(int column) {
    if (column < FEATURES) {
      int value = draw.value(column);
      if (column == RuleFeature.AGE.place()) {
        return 18.0 + value;
      }
      if (column == RuleFeature.LOG_PRICE.place()) {
        return value / 100.0;
      }
      return value + 1L;
    }
    return switch (column - FEATURES) {
      case 0 -> clicked;
      case 1 -> probability;
      default -> throw new IndexOutOfBoundsException(column);
    };
  }

  @Override
  public void close() {}
}
