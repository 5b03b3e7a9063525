package dev.wukong.graph;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What a Scan asks of its body and its inputs, and what its outputs look like. */
final class ScanRules {
  private ScanRules() {}

  /**
   * The outputs of {@code scan} on {@code in}.
   *
   * @throws IllegalArgumentException where body and inputs do not fit
   */
  static List<ShapeRules.Typed> infer(Op.Scan scan, List<Tensor> in) {
    Graph body = scan.body();
    List<Tensor> results = List.copyOf(body.outputs().values());
    int carried = scan.carried();
    ShapeRules.require(
        scan,
        carried >= 0 && carried <= results.size(),
        "at least " + carried + " outputs of its body for its carried values",
        in);
    ShapeRules.require(
        scan,
        body.inputs().size() == in.size() && carried < in.size(),
        body.inputs().size() + " inputs, one of them scanned",
        in);
    checkClosed(scan);
    Dim times = scanned(scan, in);
    List<ShapeRules.Typed> typed = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      Tensor result = results.get(i);
      if (i < carried) {
        ShapeRules.require(
            scan,
            same(result, body.inputs().get(i), result.shape()),
            "a carried value as its body begins with it, " + body.inputs().get(i),
            List.of(result));
        typed.add(new ShapeRules.Typed(result.type(), result.shape()));
      } else {
        typed.add(new ShapeRules.Typed(result.type(), Shape.of(times).concat(result.shape())));
      }
    }
    return List.copyOf(typed);
  }

  /** Holds the inputs against the body's; returns the number of runs. */
  private static Dim scanned(Op.Scan scan, List<Tensor> in) {
    Dim times = Dim.of(0);
    for (int i = 0; i < in.size(); i++) {
      Tensor given = in.get(i);
      Tensor inside = scan.body().inputs().get(i);
      if (i < scan.carried()) {
        ShapeRules.require(
            scan, same(given, inside, given.shape()), "the carried " + inside, List.of(given));
        continue;
      }
      ShapeRules.require(
          scan,
          given.rank() > 0 && same(given, inside, given.shape().without(0)),
          "one " + inside + " for each run",
          List.of(given));
      if (i > scan.carried()) {
        ShapeRules.require(
            scan, given.dim(0).equals(times), "equal axes 0 of its scanned inputs", in);
      }
      times = given.dim(0);
    }
    return times;
  }

  private static boolean same(Tensor a, Tensor b, Shape shape) {
    return a.type() == b.type() && b.shape().equals(shape);
  }

  /** A graph made by hand may read what it neither has as an input nor computes. */
  private static void checkClosed(Op.Scan scan) {
    Graph body = scan.body();
    if (!body.parameters().isEmpty()) {
      throw new IllegalArgumentException(
          scan + ": its body has the parameter " + body.parameters().getFirst() + ", want none");
    }
    Set<Tensor> known = new HashSet<>(body.inputs());
    for (Node node : body.nodes()) {
      node.inputs().forEach(tensor -> checkKnown(scan, known, tensor));
      known.addAll(node.outputs());
    }
    body.outputs().values().forEach(tensor -> checkKnown(scan, known, tensor));
  }

  private static void checkKnown(Op.Scan scan, Set<Tensor> known, Tensor tensor) {
    if (!known.contains(tensor)) {
      throw new IllegalArgumentException(
          scan
              + ": its body reads "
              + tensor
              + ", which is neither its input nor computed in it: carry it as a value");
    }
  }

  /** The symbols in the shapes of {@code graph}. */
  static Set<String> symbols(Graph graph) {
    Set<String> result = new TreeSet<>();
    graph.inputs().forEach(tensor -> add(result, tensor));
    graph.nodes().forEach(node -> node.outputs().forEach(tensor -> add(result, tensor)));
    return result;
  }

  private static void add(Set<String> symbols, Tensor tensor) {
    tensor.shape().dims().stream().filter(d -> !d.fixed()).forEach(d -> symbols.add(d.symbol()));
  }
}
