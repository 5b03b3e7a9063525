package dev.wukong.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class FlopsTest {
  private final GraphBuilder g = new GraphBuilder("flops", DataType.FLOAT);

  @Test
  void layer_ofABatch_countsEachRow() {
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(3));
    Tensor w = g.parameter("w", Shape.of(3, 4));
    Tensor bias = g.parameter("bias", Shape.of(4));
    g.output("y", g.apply(new Op.Relu(), g.gemm(x, false, w, false, bias)));
    // A row: 3 * 4 multiply-adds; 4 biases and 4 rectifications.
    assertThat(Flops.perExample(g.build(), "B")).isEqualTo(new Flops(24, 8));
    assertThat(Flops.fixed(g.build())).isEqualTo(new Flops(0, 0));
  }

  @Test
  void smallWeights_broadcastFromTheLeft_countEachRow() {
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(5), Dim.of(2));
    Tensor w = g.parameter("w", Shape.of(3, 5));
    Tensor y = g.matMul(w, x); // [B, 3, 2]
    g.output("y", g.reshape(g.transposeLast(y), Dim.of("B"), Dim.of(6)));
    g.output("sum", g.reduceSum(y, false, 1, 2));
    assertThat(Flops.perExample(g.build(), "B")).isEqualTo(new Flops(60, 6));
    assertThat(Flops.perExample(g.build(), "B").total()).isEqualTo(66);
  }

  @Test
  void productOfWeights_isFixed() {
    Tensor a = g.parameter("a", Shape.of(2, 3));
    Tensor b = g.parameter("b", Shape.of(3, 5));
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(5));
    g.output("y", g.gemm(x, false, g.gemm(a, false, b, false), true));
    assertThat(Flops.fixed(g.build())).isEqualTo(new Flops(60, 0));
    assertThat(Flops.perExample(g.build(), "B")).isEqualTo(new Flops(20, 0));
  }

  @Test
  void weightGradient_sumsOverRows_countsEachRow() {
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(3));
    Tensor dy = g.input("dy", DataType.FLOAT, Dim.of("B"), Dim.of(4));
    g.output("dw", g.gemm(x, true, dy, false)); // [3, 4]
    assertThat(Flops.perExample(g.build(), "B")).isEqualTo(new Flops(24, 0));
  }

  @Test
  void contexts_areCountedApart() {
    Tensor context = g.input("context", DataType.FLOAT, Dim.of("R"), Dim.of(3));
    Tensor of = g.input("context_of", DataType.INT32, Dim.of("B"));
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(3));
    g.output("y", g.add(g.gather(g.apply(new Op.Tanh(), context), of), x));
    assertThat(Flops.perExample(g.build(), "R")).isEqualTo(new Flops(0, 3));
    assertThat(Flops.perExample(g.build(), "B")).isEqualTo(new Flops(0, 3));
  }

  @Test
  void squareOfTheBatch_isRefused() {
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(3));
    g.output("y", g.gemm(x, false, x, true));
    assertThatThrownBy(() -> Flops.perExample(g.build(), "B"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a cost of [B, B, 3] is not so much for each B");
  }
}
