package dev.wukong.training;

import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Node;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A training step in two graphs: what leads to the gradients, and what then happens to all weights
 * alike, done once over vectors in which they lie end to end. A step of some sixty weights has
 * hundreds of operators after its gradients, most of them over few numbers; over vectors a dozen
 * are left. Where tensors lie in memory makes the vectors: nothing is joined or cut.
 *
 * <p>It is found in the step's own graph: from what weights become back, as far as the nodes of all
 * weights are the same elementwise operators. So it makes the same numbers as the whole graph.
 *
 * @param body the step without those nodes: outputs besides are {@code <vector>/<weight>} of the
 *     vectors given, and the scalars
 * @param update from vectors [n] and scalars to the kept vectors, each {@code new/<vector>}; n is
 *     any part of what there is
 * @param parts by weight
 * @param length floats of a vector
 * @param kept vectors that a step changes: the weights, then slots of the optimizer's state
 * @param given vectors that the body fills: the gradients
 * @param scalars what the body hands on beside
 */
record FlatUpdate(
    StepBody body,
    Graph update,
    SequencedMap<String, Part> parts,
    long length,
    List<String> kept,
    List<String> given,
    List<String> scalars) {
  /** Floats to which weights are aligned: what an access of a GPU is. */
  private static final int ALIGN = 64;

  private static final String WEIGHTS = "weights";

  /** Where a weight lies in each vector, in floats. */
  record Part(long start, long length) {}

  FlatUpdate {
    parts = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(parts));
    kept = List.copyOf(kept);
    given = List.copyOf(given);
    scalars = List.copyOf(scalars);
  }

  /** The name of the part of a vector that is one weight's. */
  static String member(String vector, String weight) {
    return vector.equals(WEIGHTS) ? weight : vector + "/" + weight;
  }

  /**
   * Cuts a step.
   *
   * @param weights names of dense weights
   * @param slots of their optimizer's state
   * @return empty where the weights have no operators in common
   */
  static Optional<FlatUpdate> of(StepBody step, List<String> weights, int slots) {
    if (weights.size() < 2) {
      return Optional.empty();
    }
    List<String> kept = new ArrayList<>(List.of(WEIGHTS));
    for (int i = 0; i < slots; i++) {
      kept.add("state" + i);
    }
    Search search = new Search(step, weights, kept);
    for (String vector : kept) {
      if (!search.result(vector)) {
        return Optional.empty();
      }
    }
    return search.nodes == 0 ? Optional.empty() : Optional.of(search.cut());
  }

  /** Goes back from what all weights become, all of them at a time. */
  private static final class Search {
    private final GraphBuilder g = new GraphBuilder("update", DataType.FLOAT);
    private final StepBody step;
    private final List<String> weights;
    private final List<String> kept;

    /** By tensors, one of each weight: the vector that they make up. */
    private final Map<List<Tensor>, Tensor> vectors = new HashMap<>();

    private final Map<Tensor, Tensor> scalars = new LinkedHashMap<>();
    private final Map<String, List<Tensor>> given = new LinkedHashMap<>();
    private final List<Tensor> shapes;
    int nodes;

    Search(StepBody step, List<String> weights, List<String> kept) {
      this.step = step;
      this.weights = weights;
      this.kept = kept;
      this.shapes = weights.stream().map(step::input).toList();
      for (String vector : kept) {
        List<Tensor> members = members(vector, step::input);
        vectors.put(members, g.input(vector, DataType.FLOAT, Dim.of("n")));
      }
    }

    private List<Tensor> members(String vector, Function<String, Tensor> named) {
      return weights.stream().map(weight -> named.apply(member(vector, weight))).toList();
    }

    /** Whether what a vector becomes is a vector. */
    boolean result(String vector) {
      List<Tensor> after = members(vector, name -> step.output("new/" + name));
      if (!whole(after)) {
        return false;
      }
      g.output("new/" + vector, vector(after));
      return true;
    }

    /** Whether each tensor has the shape of its weight. */
    private boolean whole(List<Tensor> tensors) {
      for (int i = 0; i < tensors.size(); i++) {
        Tensor tensor = tensors.get(i);
        if (tensor.type() != DataType.FLOAT || !tensor.shape().equals(shapes.get(i).shape())) {
          return false;
        }
      }
      return true;
    }

    private Tensor vector(List<Tensor> tensors) {
      Tensor known = vectors.get(tensors);
      if (known == null) {
        known = alike(tensors) ? node(tensors) : given(tensors);
        vectors.put(tensors, known);
      }
      return known;
    }

    private Tensor given(List<Tensor> tensors) {
      String name = "gradient" + given.size();
      given.put(name, tensors);
      return g.input(name, DataType.FLOAT, Dim.of("n"));
    }

    private Tensor node(List<Tensor> tensors) {
      nodes++;
      Node first = producer(tensors.getFirst());
      Tensor[] in = new Tensor[first.inputs().size()];
      for (int i = 0; i < in.length; i++) {
        Tensor shared = shared(inputs(tensors, i));
        in[i] = shared == null ? vector(inputs(tensors, i)) : scalar(shared);
      }
      return g.apply(first.op(), in);
    }

    private Tensor scalar(Tensor shared) {
      if (shared.producer() != null && shared.producer().op() instanceof Op.Constant(var value)) {
        return g.constant(value);
      }
      return scalars.computeIfAbsent(
          shared,
          _ ->
              g.input(
                  "scalar" + scalars.size(),
                  shared.type(),
                  shared.shape().dims().toArray(Dim[]::new)));
    }

    /** Whether all are made by one elementwise operator, of wholes and shared scalars. */
    private boolean alike(List<Tensor> tensors) {
      Node first = tensors.getFirst().producer();
      if (first == null || !elementwise(first.op())) {
        return false;
      }
      for (Tensor tensor : tensors) {
        Node own = tensor.producer();
        if (own == null || !own.op().equals(first.op())) {
          return false;
        }
      }
      for (int i = 0; i < first.inputs().size(); i++) {
        List<Tensor> in = inputs(tensors, i);
        if (shared(in) == null && !whole(in)) {
          return false;
        }
      }
      return true;
    }

    /** The one scalar that all of {@code tensors} are; null: they are not. */
    private static @Nullable Tensor shared(List<Tensor> tensors) {
      Tensor first = tensors.getFirst();
      boolean one = first.rank() == 0 && tensors.stream().allMatch(first::equals);
      return one ? first : null;
    }

    private static List<Tensor> inputs(List<Tensor> tensors, int i) {
      return tensors.stream().map(tensor -> producer(tensor).in(i)).toList();
    }

    private static Node producer(Tensor tensor) {
      return Objects.requireNonNull(tensor.producer());
    }

    FlatUpdate cut() {
      Map<String, Tensor> wanted = new LinkedHashMap<>();
      List<String> names = new ArrayList<>();
      List<String> own = new ArrayList<>();
      kept.forEach(vector -> weights.forEach(weight -> own.add("new/" + member(vector, weight))));
      int at = 0;
      for (Map.Entry<String, Tensor> output : step.graph().outputs().entrySet()) {
        String name = step.outputs().get(at++);
        if (!own.contains(name)) {
          wanted.put(output.getKey(), output.getValue());
          names.add(name);
        }
      }
      given.forEach(
          (vector, tensors) -> {
            for (int i = 0; i < weights.size(); i++) {
              String name = member(vector, weights.get(i));
              wanted.put("flat/" + name, tensors.get(i));
              names.add(name);
            }
          });
      List<String> handed = new ArrayList<>();
      scalars.forEach(
          (tensor, scalar) -> {
            wanted.put("flat/" + scalar.name(), tensor);
            names.add(scalar.name());
            handed.add(scalar.name());
          });
      Graph body = step.graph().of(wanted);
      List<String> inputs = new ArrayList<>();
      for (int i = 0; i < step.inputs().size(); i++) {
        if (body.inputs().contains(step.graph().inputs().get(i))) {
          inputs.add(step.inputs().get(i));
        }
      }
      SequencedMap<String, Part> parts = new LinkedHashMap<>();
      long length = 0;
      for (int i = 0; i < weights.size(); i++) {
        long floats = shapes.get(i).shape().elements().size();
        parts.put(weights.get(i), new Part(length, floats));
        length += (floats + ALIGN - 1) / ALIGN * ALIGN;
      }
      return new FlatUpdate(
          new StepBody(body, inputs, names),
          g.build(),
          parts,
          length,
          kept,
          List.copyOf(given.keySet()),
          handed);
    }
  }

  /** Whether an operator makes each number of numbers at the same place. */
  private static boolean elementwise(Op op) {
    return switch (op) {
      case Op.Add(), Op.Sub(), Op.Mul(), Op.Div(), Op.Max(), Op.Min() -> true;
      case Op.Neg(), Op.Abs(), Op.Sign(), Op.Exp(), Op.Log(), Op.Sqrt(), Op.Reciprocal() -> true;
      case Op.Relu(), Op.Sigmoid(), Op.Tanh(), Op.Softplus() -> true;
      case Op.Constant _, Op.Greater(), Op.Equal(), Op.Not(), Op.Cast _, Op.Where() -> false;
      case Op.MatMul(), Op.Gemm _, Op.ReduceSum _, Op.ReduceMean _, Op.Softmax _ -> false;
      case Op.LayerNormalization _, Op.Reshape _, Op.Transpose _, Op.Concat _ -> false;
      case Op.Split _, Op.ExpandLike(), Op.Count _, Op.Gather(), Op.ScatterAdd() -> false;
      case Op.Scan _ -> false;
    };
  }
}
