package dev.wukong.simulator;

import dev.wukong.data.Feature;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Candidates one after another, each with its request's context. */
final class SimulatedRows implements RowSource {
  private final Simulator simulator;
  private final long from;
  private final long to;
  private final List<String> columns = new ArrayList<>();
  private final boolean[] ofContext;
  private final int[] places;
  private long row;
  private Request request;

  SimulatedRows(Simulator simulator, long from, long to) {
    if (from < 0 || to <= from) {
      throw new IllegalArgumentException(
          "requests %d to %d; at least one, from 0 on, is needed".formatted(from, to));
    }
    this.simulator = simulator;
    this.from = from;
    this.to = to;
    this.request = simulator.request(from);
    Schema schema = simulator.schema();
    this.ofContext = new boolean[schema.features().size()];
    this.places = new int[ofContext.length];
    int contexts = 0;
    int candidates = 0;
    for (Feature feature : schema.features()) {
      int at = columns.size();
      columns.add(feature.column());
      ofContext[at] = feature.scope() == Scope.CONTEXT;
      places[at] = ofContext[at] ? contexts++ : candidates++;
    }
    columns.addAll(List.of(Simulator.CLICK, Simulator.CONVERSION, ClickSource.CLICK_PROBABILITY));
  }

  @Override
  public String name() {
    return "simulator";
  }

  @Override
  public List<String> columns() {
    return List.copyOf(columns);
  }

  @Override
  public boolean next() {
    int candidates = simulator.config().candidates();
    long index = from + row / candidates;
    if (index >= to) {
      return false;
    }
    if (index != request.index()) {
      request = simulator.request(index);
    }
    row++;
    return true;
  }

  @Override
  public long row() {
    return row;
  }

  private Request.Candidate candidate() {
    return request.candidates().get((int) ((row - 1) % simulator.config().candidates()));
  }

  @Override
  public @Nullable Object value(int column) {
    if (column < places.length) {
      return ofContext[column]
          ? request.context().get(places[column])
          : candidate().values().get(places[column]);
    }
    Request.Candidate candidate = candidate();
    return switch (column - places.length) {
      case 0 -> candidate.clicked();
      case 1 -> candidate.clicked() ? candidate.converted() : null;
      case 2 -> candidate.clickProbability();
      default -> throw new IndexOutOfBoundsException(column);
    };
  }

  @Override
  public void close() {}
}
