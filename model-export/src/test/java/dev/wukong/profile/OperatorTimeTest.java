package dev.wukong.profile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OperatorTimeTest {
  /** Names as ONNX Runtime gives them to nodes that it makes out of the graph's own. */
  @ParameterizedTest
  @CsvSource({
    "layer0/norm/scaled, layer0/norm",
    "layer0/fm/mlp/0, layer0/fm",
    "fused layer1/norm/scaled, layer1/norm",
    "InsertedPrecisionFreeCast_layer0/norm/scaled, layer0/norm",
    "head/logits/MatmulTransposeFusion/, head",
    "#47/MatmulTransposeFusion/, -",
    "#31, -"
  })
  void part_ofANode_isWhereTheGraphHasIt(String node, String part) {
    assertThat(new OperatorTime(node, "MatMul", 1).part()).isEqualTo(part);
  }
}
