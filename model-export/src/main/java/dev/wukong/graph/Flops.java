package dev.wukong.graph;

import java.util.List;

/**
 * The arithmetic of a graph.
 *
 * @param products two for each multiply-add of MatMul and Gemm
 * @param others one for each element computed by the other operators; reductions count their
 *     inputs, and operators that only move numbers (shapes, casts, lookups) count nothing; a Scan
 *     counts its body for each run
 */
public record Flops(long products, long others) {
  private static final Flops NONE = new Flops(0, 0);

  /**
   * What one more of {@code symbol} (a row of the batch, say) costs.
   *
   * @throws IllegalArgumentException where some operator's cost grows with the product of two
   *     symbols
   */
  public static Flops perExample(Graph graph, String symbol) {
    return graph.nodes().stream().map(node -> of(node, symbol)).reduce(NONE, Flops::plus);
  }

  /** What a run costs whatever its symbols are. */
  static Flops fixed(Graph graph) {
    return perExample(graph, "");
  }

  public long total() {
    return Math.addExact(products, others);
  }

  private Flops plus(Flops other) {
    return new Flops(Math.addExact(products, other.products), Math.addExact(others, other.others));
  }

  private Flops times(long count) {
    return new Flops(Math.multiplyExact(count, products), Math.multiplyExact(count, others));
  }

  private static Flops of(Node node, String symbol) {
    return switch (node.op()) {
      case Op.MatMul() -> products(node.out().shape().concat(Shape.of(node.in(0).dim(-1))), symbol);
      case Op.Gemm gemm -> {
        Shape inner = Shape.of(node.in(0).dim(gemm.transA() ? 0 : 1));
        Flops product = products(node.out().shape().concat(inner), symbol);
        yield node.inputs().size() == 2 ? product : product.plus(others(node.out(), symbol));
      }
      case Op.Add(), Op.Sub(), Op.Mul(), Op.Div(), Op.Max(), Op.Min() -> others(node.out(), symbol);
      case Op.Greater(), Op.Equal(), Op.Not(), Op.Where() -> others(node.out(), symbol);
      case Op.Neg(), Op.Abs(), Op.Sign(), Op.Exp(), Op.Log(), Op.Sqrt(), Op.Reciprocal() ->
          others(node.out(), symbol);
      case Op.Relu(), Op.Sigmoid(), Op.Tanh(), Op.Softplus() -> others(node.out(), symbol);
      case Op.Softmax _, Op.LayerNormalization _ -> others(node.out(), symbol);
      case Op.ReduceSum _, Op.ReduceMean _ -> others(node.in(0), symbol);
      case Op.ScatterAdd() -> others(node.in(2), symbol);
      case Op.Constant _, Op.Cast _, Op.Reshape _, Op.Transpose _, Op.Concat _, Op.Split _ -> NONE;
      case Op.ExpandLike(), Op.Count _, Op.Gather() -> NONE;
      case Op.Scan(var body, var _) -> repeated(body, node.inputs().getLast().dim(0), symbol);
    };
  }

  /** {@code body} as often as {@code times} says. */
  private static Flops repeated(Graph body, Dim times, String symbol) {
    if (times.fixed()) {
      return perExample(body, symbol).times(times.factor());
    }
    if (symbol.isEmpty()) {
      return NONE;
    }
    boolean own = times.symbol().equals(symbol);
    boolean product =
        own
            ? ScanRules.symbols(body).stream().anyMatch(s -> !perExample(body, s).equals(NONE))
            : !perExample(body, symbol).equals(NONE);
    if (product) {
      throw new IllegalArgumentException(
          "a cost of " + times + " runs of " + body.name() + " is not so much for each " + symbol);
    }
    return own ? fixed(body).times(times.factor()) : NONE;
  }

  private static Flops products(Shape shape, String symbol) {
    return new Flops(Math.multiplyExact(2, units(shape, symbol)), 0);
  }

  private static Flops others(Tensor tensor, String symbol) {
    return new Flops(0, units(tensor.shape(), symbol));
  }

  /**
   * The elements of {@code shape} for one {@code symbol}; 0 where they grow with another symbol, or
   * with none.
   */
  private static long units(Shape shape, String symbol) {
    List<Dim> dims = shape.dims();
    long symbols = dims.stream().filter(d -> !d.fixed()).count();
    if (symbols > 1 && dims.stream().anyMatch(d -> d.symbol().equals(symbol) && !d.fixed())) {
      throw new IllegalArgumentException(
          "a cost of " + shape + " is not so much for each " + symbol);
    }
    if (symbols > 1) {
      return 0;
    }
    Dim all = shape.elements();
    return all.symbol().equals(symbol) ? all.factor() : 0;
  }
}
