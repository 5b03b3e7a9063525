package dev.wukong.training;

import dev.wukong.data.Table;
import dev.wukong.graph.Shape;
import dev.wukong.graph.TensorData;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Shows the tables and gradients of a session that trains whole tables, for comparisons with other
 * implementations. Called by the training thread.
 */
public final class SessionTensors {
  private SessionTensors() {}

  /** Every table by name, [rows, width], copied. */
  public static Map<String, TensorData.Floats> tables(TrainSession session) {
    return tables(session, false, 1);
  }

  /**
   * The gradients of a session's first step, by weight and by table: regularization and clipping
   * included, just as the optimizers took them. Adam's first moment tells them: it began at 0.
   *
   * @throws IllegalArgumentException unless both optimizers are Adam and one step has been made
   */
  public static Map<String, TensorData.Floats> firstGradients(TrainSession session) {
    if (session.steps() != 1) {
      throw new IllegalArgumentException(session.steps() + " steps have been made, want 1");
    }
    float share = share(session.config().dense());
    Map<String, TensorData.Floats> result = new LinkedHashMap<>();
    session
        .weights()
        .places()
        .forEach(
            (name, place) -> {
              FloatBuffer moments = session.weights().state(0, name);
              float[] values = new float[Math.toIntExact(place.length())];
              for (int i = 0; i < values.length; i++) {
                values[i] = moments.get(moments.position() + i) / share;
              }
              result.put(name, new TensorData.Floats(place.shape(), values));
            });
    result.putAll(tables(session, true, share(session.config().rows().optimizer())));
    return result;
  }

  /** What a gradient's part in Adam's first moment is. */
  private static float share(OptimizerConfig optimizer) {
    return switch (optimizer) {
      case OptimizerConfig.Adam(var _, var beta1, var _, var _) -> 1 - (float) beta1;
      case OptimizerConfig.Sgd _, OptimizerConfig.RowWiseAdaGrad _ ->
          throw new IllegalArgumentException("the optimizer is " + optimizer + ", want Adam");
    };
  }

  /** Rows, or what Adam's state begins with, divided by {@code share}. */
  private static Map<String, TensorData.Floats> tables(
      TrainSession session, boolean moments, float share) {
    List<Table> tables = session.layout().tables();
    long[] counts = session.rowCounts();
    Map<String, TensorData.Floats> result = new LinkedHashMap<>();
    float[][] values = new float[tables.size()][];
    for (Table table : tables) {
      int rows = Math.toIntExact(counts[table.ordinal()]);
      values[table.ordinal()] = new float[Math.multiplyExact(rows, table.width())];
      result.put(
          table.name(),
          new TensorData.Floats(Shape.of(rows, table.width()), values[table.ordinal()]));
    }
    session
        .rows()
        .forEach(
            (table, id, row, state) -> {
              int at = Math.toIntExact(id * row.length);
              for (int i = 0; i < row.length; i++) {
                values[table][at + i] = (moments ? state[i] : row[i]) / share;
              }
            });
    return result;
  }
}
