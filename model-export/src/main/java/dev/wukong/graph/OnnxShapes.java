package dev.wukong.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The meaning of the operators that change shapes or look up rows. */
final class OnnxShapes {
  private final GraphBuilder g;
  private final OnnxValues values;
  private final OnnxFill fill;

  OnnxShapes(GraphBuilder g, OnnxValues values, OnnxFill fill) {
    this.g = g;
    this.values = values;
    this.fill = fill;
  }

  Tensor reshape(OnnxNode n) {
    Tensor x = values.in(n, 0);
    boolean zeros = n.small("allowzero", 0) != 0;
    List<Sizes.Size> wanted = values.list(n, 1).elements();
    List<Dim> dims = new ArrayList<>();
    int open = -1;
    Dim others = Dim.of(1);
    for (int i = 0; i < wanted.size(); i++) {
      Sizes.Size size = wanted.get(i);
      if (size.fixed() && size.factor() == -1) {
        if (open >= 0) {
          throw n.refuse("the shape has more than one -1");
        }
        open = i;
        dims.add(Dim.of(1));
      } else {
        dims.add(size.fixed() && size.factor() == 0 && !zeros ? x.dim(i) : size.dim());
        others = others.times(dims.get(i));
      }
    }
    if (open >= 0) {
      dims.set(open, quotient(n, x.shape().elements(), others));
    }
    return g.reshape(x, new Shape(dims));
  }

  private static Dim quotient(OnnxNode n, Dim all, Dim others) {
    boolean divides = others.factor() > 0 && all.factor() % others.factor() == 0;
    if (divides && others.fixed()) {
      return new Dim(all.factor() / others.factor(), all.symbol());
    }
    if (divides && others.symbol().equals(all.symbol())) {
      return Dim.of(all.factor() / others.factor());
    }
    throw n.refuse(all + " elements do not divide by " + others);
  }

  Tensor squeezed(OnnxNode n) {
    Tensor x = values.in(n, 0);
    List<Long> axes = values.attributeOrInput(n, "axes", 1);
    boolean squeeze = n.op().equals("Squeeze");
    if (axes == null && !squeeze) {
      throw n.refuse("attribute or input 'axes' is missing");
    }
    int rank = squeeze || axes == null ? x.rank() : x.rank() + axes.size();
    OnnxValues.checkRank(rank);
    List<Integer> at =
        axes == null
            ? ShapeRules.range(rank).stream().filter(i -> x.dim(i).one()).toList()
            : OnnxValues.small(axes).stream().map(i -> i < 0 ? i + rank : i).toList();
    if (at.stream().anyMatch(i -> i < 0 || i >= rank || (squeeze && !x.dim(i).one()))) {
      throw n.refuse("axes " + at + " do not fit the shape " + x.shape());
    }
    List<Dim> dims = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < rank; i++) {
      if (squeeze) {
        if (!at.contains(i)) {
          dims.add(x.dim(i));
        }
      } else {
        dims.add(at.contains(i) ? Dim.of(1) : x.dim(next++));
      }
    }
    return g.reshape(x, new Shape(dims));
  }

  List<Tensor> split(OnnxNode n) {
    Tensor x = values.in(n, 0);
    int axis = x.shape().axis(n.small("axis", 0));
    List<Long> parts = values.attributeOrInput(n, "split", 1);
    int count = n.small("num_outputs", n.outputs().size());
    if (count < 1) {
      throw n.refuse("attribute 'num_outputs' is " + count + ", want 1 or more");
    }
    if (count != n.outputs().size()) {
      throw n.refuse(
          "attribute 'num_outputs' is " + count + " for " + n.outputs().size() + " outputs");
    }
    if (parts == null) {
      long size = x.dim(axis).size();
      long part = Math.ceilDiv(size, count);
      parts = new ArrayList<>();
      for (long left = size; left > 0; left -= part) {
        parts.add(Math.min(part, left));
      }
    }
    if (parts.size() != n.outputs().size()) {
      throw n.refuse(
          "attribute 'split' has "
              + parts.size()
              + " parts for "
              + n.outputs().size()
              + " outputs");
    }
    return g.split(x, axis, parts);
  }

  Tensor slice(OnnxNode n) {
    Tensor x = values.in(n, 0);
    for (OnnxValues.Range range : values.ranges(n, x.rank(), -1)) {
      long size = x.dim(range.axis()).size();
      if (range.from() >= range.to()) {
        throw n.refuse("axis " + range.axis() + " is cut to nothing");
      }
      long kept = range.to() - (long) range.from();
      List<Long> parts =
          Stream.of((long) range.from(), kept, size - range.to()).filter(part -> part > 0).toList();
      x = g.split(x, range.axis(), parts).get(range.from() > 0 ? 1 : 0);
    }
    return x;
  }

  Tensor expand(OnnxNode n) {
    Tensor x = values.in(n, 0);
    Sizes target = values.list(n, 1);
    Shape wanted = new Shape(target.elements().stream().map(Sizes.Size::dim).toList());
    return g.expandLike(x, like(n, x.shape().broadcast(wanted), target));
  }

  Tensor filled(OnnxNode n) {
    TensorData value =
        n.tensor("value")
            .map(t -> OnnxTensors.read(t, "attribute 'value'"))
            .orElse(new TensorData.Floats(Shape.of(1), new float[1]));
    Sizes target = values.list(n, 0);
    Shape wanted = new Shape(target.elements().stream().map(Sizes.Size::dim).toList());
    return g.expandLike(g.constant(value.at(0), value.type()), like(n, wanted, target));
  }

  /** A tensor of shape {@code wanted}: one that the sizes came from, else any, else zeros. */
  private Tensor like(OnnxNode n, Shape wanted, Sizes target) {
    return Stream.concat(target.sources().stream(), values.all().stream())
        .filter(t -> t.shape().equals(wanted))
        .min(
            (a, b) -> Boolean.compare(!target.sources().contains(a), !target.sources().contains(b)))
        .orElseGet(
            () -> {
              if (!wanted.dims().stream().allMatch(Dim::fixed)) {
                throw n.refuse("no tensor of the shape " + wanted + " is there to take it from");
              }
              return g.constant(fill.zeros(DataType.BOOL, wanted));
            });
  }

  // Lookups.

  Tensor gather(OnnxNode n) {
    Tensor data = values.in(n, 0);
    Tensor indices = values.in(n, 1);
    int axis = data.shape().axis(n.small("axis", 0));
    if (axis == 0) {
      return g.gather(data, indices);
    }
    List<Integer> front = new ArrayList<>(List.of(axis));
    ShapeRules.range(data.rank()).stream().filter(i -> i != axis).forEach(front::add);
    Tensor rows = g.gather(g.apply(new Op.Transpose(front), data), indices);
    // [indices, before, after] -> [before, indices, after]
    List<Integer> perm = new ArrayList<>();
    for (int i = 0; i < axis; i++) {
      perm.add(indices.rank() + i);
    }
    perm.addAll(ShapeRules.range(indices.rank()));
    for (int i = indices.rank() + axis; i < rows.rank(); i++) {
      perm.add(i);
    }
    return g.apply(new Op.Transpose(perm), rows);
  }

  Tensor scatter(OnnxNode n) {
    String reduction = n.text("reduction", "none");
    if (!reduction.equals("add")) {
      throw n.refuse(
          "attribute 'reduction' is '" + reduction + "', and only 'add' has a meaning here");
    }
    Tensor data = values.in(n, 0);
    Tensor indices = values.in(n, 1);
    Tensor updates = values.in(n, 2);
    Tensor rows;
    if (n.op().equals("ScatterND")) {
      if (!indices.dim(-1).one()) {
        throw n.refuse(
            "indices have the shape "
                + indices.shape()
                + ": only whole rows are added to, so its last axis must be 1");
      }
      rows = g.reshape(indices, indices.shape().without(-1));
    } else {
      n.only("axis", 0);
      rows = rowIndices(n, indices, updates);
    }
    Tensor sums = g.apply(new Op.ScatterAdd(), data, rows, updates);
    return zero(data) ? sums : g.add(data, sums);
  }

  /** One index a row, out of one an element: they were one a row before they were expanded. */
  private Tensor rowIndices(OnnxNode n, Tensor indices, Tensor updates) {
    int tail = updates.rank() - 1;
    Tensor x = indices;
    if (source(x) instanceof Node(_, Op.Reshape _, var in, _) && sameTail(in.getFirst(), x, tail)) {
      x = in.getFirst();
    }
    if (source(x) instanceof Node(_, Op.ExpandLike(), var in, _)
        && in.getFirst().rank() == x.rank()) {
      x = in.getFirst();
    }
    Shape end = x.shape().slice(Math.max(0, x.rank() - tail), x.rank());
    if (x.rank() < tail
        || !end.dims().stream().allMatch(Dim::one)
        || !x.shape().elements().equals(updates.dim(0))) {
      throw n.refuse("indices must be one a row, expanded over the other axes");
    }
    return g.reshape(x, updates.dim(0));
  }

  private static @Nullable Node source(Tensor x) {
    return x.producer();
  }

  private static boolean sameTail(Tensor a, Tensor b, int tail) {
    return a.rank() >= tail
        && a.shape()
            .slice(a.rank() - tail, a.rank())
            .equals(b.shape().slice(b.rank() - tail, b.rank()));
  }

  private static boolean zero(Tensor x) {
    return x.producer() instanceof Node(_, Op.ExpandLike(), var in, _)
        && Objects.requireNonNull(in.getFirst()).producer()
            instanceof Node(_, Op.Constant(var value), _, _)
        && value.length() == 1
        && value.at(0) == 0;
  }
}
