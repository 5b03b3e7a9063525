package dev.wukong.graph;

import java.util.List;

/** One operator applied to its inputs. */
public record Node(String name, Op op, List<Tensor> inputs, List<Tensor> outputs) {
  public Node {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  public Tensor in(int i) {
    return inputs.get(i);
  }

  public Tensor out() {
    return outputs.getFirst();
  }

  public Tensor out(int i) {
    return outputs.get(i);
  }
}
