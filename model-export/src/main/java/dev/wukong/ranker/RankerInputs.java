package dev.wukong.ranker;

import dev.wukong.data.Group;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Transform;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The inputs that every ranker shares: embedding rows found by slot and pooled, numbers
 * transformed. Inputs ({@link InputNames}) are {@code rows.<group>} [U, d], {@code
 * slots.<scope>.<group>} [R or B, W], {@code weights...}, {@code dense.<scope>}, {@code context_of}
 * [B]. In training every example has a context row of its own, so R is B and {@code context_of} is
 * absent.
 */
public final class RankerInputs {
  private final InputLayout layout;
  private final GraphBuilder g;
  private final Mode mode;
  private final Map<Lookup, Tensor> lookups = new LinkedHashMap<>();
  private final List<Piece> pieces = new ArrayList<>();
  private final List<Numbers> numbers = new ArrayList<>();
  private final @Nullable Tensor contextOf;

  /**
   * Rows of {@code group} that the ids of {@code scope} stand for.
   *
   * @param slots the name of the input that says which
   */
  public record Lookup(Scope scope, int group, String slots) {}

  /**
   * Embeddings of neighbouring features, from a table each.
   *
   * @param nth which of their tables it is, from 0
   * @param embeddings [R or B, features, width]
   */
  record Piece(Scope scope, int nth, List<String> features, Tensor embeddings, int width) {}

  /**
   * Numbers after their transforms, in the graph's wide type.
   *
   * @param values [B, k], k being the sum of {@code widths}
   * @param features whose columns these are
   * @param widths columns of each feature, presence columns included
   */
  record Numbers(Tensor values, List<String> features, List<Long> widths) {}

  public RankerInputs(Network net, InputLayout layout) {
    this.layout = layout;
    this.g = net.graph();
    this.mode = net.mode();
    List<Tensor> rows = new ArrayList<>();
    for (Group group : layout.groups()) {
      rows.add(
          g.input(
              InputNames.rows(group),
              g.type(),
              Dim.of("U." + group.name()),
              Dim.of(group.width())));
    }
    boolean contexts = layout.schema().hasContext();
    contextOf =
        contexts && mode == Mode.PREDICT
            ? g.input(InputNames.CONTEXT_OF, DataType.INT32, Dim.of("B"))
            : null;
    for (Scope scope : Scope.values()) {
      for (int group = 0; group < layout.groups().size(); group++) {
        if (layout.slotWidth(scope, group) > 0) {
          lookUp(scope, group, rows.get(group));
        }
      }
      if (layout.denseWidth(scope) > 0) {
        Tensor raw =
            g.input(
                InputNames.dense(scope),
                DataType.FLOAT,
                rowsOf(scope),
                Dim.of(layout.denseWidth(scope)));
        Tensor values = onCandidates(scope, transformed(scope, g.cast(raw, g.wideType())));
        List<String> names = layout.dense(scope).stream().map(d -> d.feature().name()).toList();
        List<Long> widths = layout.dense(scope).stream().map(d -> (long) d.width()).toList();
        numbers.add(new Numbers(values, names, widths));
      }
    }
  }

  /** The rows as looked up, [B, W, d]: training takes their gradients. */
  public Map<Lookup, Tensor> lookups() {
    return lookups;
  }

  /** The numbers of each scope that has some, in its features' order. */
  List<Numbers> numbers() {
    return numbers;
  }

  Schema schema() {
    return layout.schema();
  }

  List<Piece> pieces() {
    return pieces;
  }

  private void lookUp(Scope scope, int group, Tensor rows) {
    Group of = layout.groups().get(group);
    Dim width = Dim.of(layout.slotWidth(scope, group));
    Tensor slots = g.input(InputNames.slots(scope, of), DataType.INT32, rowsOf(scope), width);
    Tensor weights =
        layout.weighted(scope, group)
            ? g.input(InputNames.weights(scope, of), DataType.FLOAT, rowsOf(scope), width)
            : null;
    Tensor found = g.gather(rows, slots); // [R or B, W, d]
    lookups.put(new Lookup(scope, group, slots.name()), found);
    List<IdColumns> columns = layout.columns(scope, group);
    List<List<IdColumns>> runs = runs(columns);
    List<Long> sizes =
        runs.stream().map(run -> run.stream().mapToLong(IdColumns::width).sum()).toList();
    List<Tensor> parts = g.split(found, 1, sizes);
    List<Tensor> slotParts =
        parts.size() > 1 || pooled(runs.getFirst()) ? g.split(slots, 1, sizes) : List.of();
    List<Tensor> weightParts = weights == null ? List.of() : g.split(weights, 1, sizes);
    for (int i = 0; i < runs.size(); i++) {
      Tensor part = parts.get(i);
      if (pooled(runs.get(i))) {
        Tensor weight = weights == null ? null : weightParts.get(i);
        part = pool(runs.get(i).getFirst(), part, slotParts.get(i), weight);
      }
      List<String> features = runs.get(i).stream().map(c -> c.feature().name()).toList();
      pieces.add(new Piece(scope, runs.get(i).getFirst().nth(), features, part, of.width()));
    }
  }

  /**
   * Neighbouring single-valued features are taken together, each with the same of its tables; a
   * pooled feature stands alone.
   */
  private static List<List<IdColumns>> runs(List<IdColumns> columns) {
    List<List<IdColumns>> runs = new ArrayList<>();
    for (IdColumns column : columns) {
      boolean alone = pooled(List.of(column));
      if (alone
          || runs.isEmpty()
          || pooled(runs.getLast())
          || runs.getLast().getFirst().nth() != column.nth()) {
        runs.add(new ArrayList<>());
      }
      runs.getLast().add(column);
    }
    return runs;
  }

  private static boolean pooled(List<IdColumns> run) {
    return run.getFirst().feature().multiValued() || run.getFirst().feature().weighted();
  }

  /**
   * x [R, W, d] to [R, 1, d]. Unused positions hold the padding row, which is zero. Sums are wide:
   * weights may be of any size.
   */
  private Tensor pool(IdColumns column, Tensor x, Tensor slots, @Nullable Tensor weights) {
    DataType wide = g.wideType();
    Tensor filled =
        g.cast(g.apply(new Op.Greater(), slots, g.constant(0, DataType.INT32)), wide); // [R, W]
    Tensor factors = filled;
    Tensor terms = g.cast(x, wide);
    if (column.feature().weighted() && weights != null) {
      factors = g.mul(filled, g.cast(weights, wide));
      terms = g.mul(terms, g.reshape(factors, factors.dim(0), factors.dim(1), Dim.of(1)));
    }
    Tensor sum = g.reduceSum(terms, true, 1);
    if (column.feature().pooling() == Pooling.SUM) {
      return g.cast(sum, x.type());
    }
    Tensor total = g.reduceSum(factors, true, 1); // [R, 1]
    Tensor none = g.apply(new Op.Equal(), total, g.constant(0, wide));
    Tensor divisor = g.where(none, g.constant(1, wide), total);
    Tensor mean = g.div(sum, g.reshape(divisor, divisor.dim(0), Dim.of(1), Dim.of(1)));
    return g.cast(mean, x.type());
  }

  private Tensor transformed(Scope scope, Tensor raw) {
    if (layout.dense(scope).stream().allMatch(d -> d.feature().transform() == Transform.NONE)) {
      return raw;
    }
    List<Long> sizes = layout.dense(scope).stream().map(d -> (long) d.width()).toList();
    List<Tensor> parts = new ArrayList<>(g.split(raw, 1, sizes));
    for (int i = 0; i < parts.size(); i++) {
      // Presence columns hold 0 or 1; log 2 for 1 is only a scale, but the plain flag is what the
      // schema promises.
      parts.set(
          i,
          transform(
              layout.dense(scope).get(i).feature().transform(),
              parts.get(i),
              layout.dense(scope).get(i).feature().width()));
    }
    return g.concat(1, parts);
  }

  private Tensor transform(Transform transform, Tensor x, int width) {
    return switch (transform) {
      case NONE -> x;
      case LOG1P -> {
        long presence = x.dim(1).size() - width;
        List<Tensor> parts =
            presence == 0 ? List.of(x) : g.split(x, 1, List.of((long) width, presence));
        Tensor value = parts.getFirst();
        Tensor one = g.constant(1, value.type());
        Tensor log = g.apply(new Op.Log(), g.add(g.apply(new Op.Abs(), value), one));
        Tensor signed = g.mul(g.apply(new Op.Sign(), value), log);
        yield presence == 0 ? signed : g.concat(1, List.of(signed, parts.getLast()));
      }
    };
  }

  /** A context's value for each of its candidates; a candidate's own as it is. */
  Tensor onCandidates(Scope scope, Tensor x) {
    return scope == Scope.CONTEXT && contextOf != null ? g.gather(x, contextOf) : x;
  }

  private Dim rowsOf(Scope scope) {
    return Dim.of(scope == Scope.CONTEXT && mode == Mode.PREDICT ? "R" : "B");
  }
}
