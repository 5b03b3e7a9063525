package dev.wukong.ranker;

import dev.wukong.data.Scope;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Predicate;

/** The fields that interact: embeddings of ids, and of numbers as the configuration says. */
final class Fields {
  private final Network net;
  private final GraphBuilder g;
  private final RankerInputs inputs;
  private final RankerConfig config;

  /** Says of a feature and one of its tables whether it is meant. */
  @FunctionalInterface
  private interface Choice {
    boolean of(String feature, int nth);
  }

  Fields(Network net, RankerInputs inputs, RankerConfig config) {
    this.net = net;
    this.g = net.graph();
    this.inputs = inputs;
    this.config = config;
  }

  /**
   * All embeddings [B, n, d]: those of the common width as they are, the others joined by width and
   * projected, those of the numbers last.
   */
  Tensor embeddings() {
    EmbeddingConfig embedding = config.embedding();
    List<Tensor> result = new ArrayList<>();
    Map<Integer, List<Tensor>> others = new LinkedHashMap<>();
    for (Scope scope : Scope.values()) {
      List<Tensor> own = new ArrayList<>();
      for (RankerInputs.Piece piece :
          chosen(scope, (feature, nth) -> nth < embedding.count(feature))) {
        if (piece.width() == embedding.width()) {
          own.add(piece.embeddings());
        } else {
          others
              .computeIfAbsent(piece.width(), w -> new ArrayList<>())
              .add(inputs.onCandidates(scope, flat(g, piece.embeddings())));
        }
      }
      if (!own.isEmpty()) {
        result.add(inputs.onCandidates(scope, g.concat(1, own)));
      }
    }
    others.forEach(
        (width, parts) -> {
          try (var _ = g.scope("projection" + width)) {
            result.add(projected(g.concat(1, parts)));
          }
        });
    if (!inputs.numbers().isEmpty()) {
      switch (embedding.numbers()) {
        case BOTTOM, BOTTOM_RELU -> result.add(bottom());
        case EACH -> result.addAll(eachNumber(embedding.width(), _ -> true));
      }
    }
    return g.concat(1, result);
  }

  /** What the rows of {@code tables} are in a row: [B, fields, width], numbers last. */
  Tensor of(ExtraTables tables) {
    List<Tensor> result = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      List<Tensor> own =
          chosen(
                  scope,
                  (feature, nth) ->
                      TableWidths.place(config, inputs.schema(), tables, feature)
                          .equals(OptionalInt.of(nth)))
              .stream()
              .map(RankerInputs.Piece::embeddings)
              .toList();
      if (!own.isEmpty()) {
        result.add(inputs.onCandidates(scope, g.concat(1, own)));
      }
    }
    try (var _ = g.scope(tables.name())) {
      result.addAll(eachNumber(tables.width(), tables::has));
    }
    return g.concat(1, result);
  }

  /** The sum of the rows of {@code tables}: [B, width]. A linear model, where these are weights. */
  Tensor sum(ExtraTables tables) {
    return g.reduceSum(g.cast(of(tables), g.wideType()), false, 1);
  }

  private List<RankerInputs.Piece> chosen(Scope scope, Choice choice) {
    List<RankerInputs.Piece> result = new ArrayList<>();
    for (RankerInputs.Piece piece : inputs.pieces()) {
      if (piece.scope() != scope) {
        continue;
      }
      List<String> names =
          piece.features().stream().filter(name -> choice.of(name, piece.nth())).toList();
      if (names.size() == piece.features().size()) {
        result.add(piece);
      } else if (!names.isEmpty()) {
        List<Tensor> all =
            g.split(piece.embeddings(), 1, piece.features().stream().map(_ -> 1L).toList());
        List<Tensor> wanted =
            names.stream().map(name -> all.get(piece.features().indexOf(name))).toList();
        result.add(
            new RankerInputs.Piece(scope, piece.nth(), names, g.concat(1, wanted), piece.width()));
      }
    }
    return result;
  }

  private Tensor projected(Tensor joined) {
    EmbeddingConfig embedding = config.embedding();
    int width = embedding.width();
    long floats = joined.dim(1).size();
    long count = embedding.projected() > 0 ? embedding.projected() : (floats + width - 1) / width;
    return fields(Mlp.of(net, joined, embedding.projection(), count * width), count);
  }

  /** All numbers through the bottom MLP: [B, count, d]. */
  private Tensor bottom() {
    EmbeddingConfig embedding = config.embedding();
    try (var _ = g.scope("bottom")) {
      long count = embedding.denseEmbeddings();
      List<Tensor> values = inputs.numbers().stream().map(RankerInputs.Numbers::values).toList();
      // Wide, as numbers may be of any size; what the MLP makes of them is moderate.
      Tensor flat = Mlp.of(net, g.concat(1, values), embedding.bottom(), count * embedding.width());
      if (embedding.numbers() == EmbeddingConfig.Numbers.BOTTOM_RELU) {
        flat = g.apply(new Op.Relu(), flat);
      }
      return fields(g.cast(flat, g.type()), count);
    }
  }

  /**
   * Each number or vector of {@code wanted} features times a weight of its own: [B, features,
   * width], or nothing where there is none.
   */
  private List<Tensor> eachNumber(int width, Predicate<String> wanted) {
    List<Tensor> result = new ArrayList<>();
    for (RankerInputs.Numbers numbers : inputs.numbers()) {
      if (numbers.features().stream().noneMatch(wanted)) {
        continue;
      }
      List<Tensor> values = g.split(numbers.values(), 1, numbers.widths());
      for (int i = 0; i < values.size(); i++) {
        if (wanted.test(numbers.features().get(i))) {
          try (var _ = g.scope("number" + result.size())) {
            result.add(net.linearNoBias(values.get(i), width));
          }
        }
      }
    }
    long count = result.size();
    return result.isEmpty()
        ? List.of()
        : List.of(fields(g.cast(g.concat(1, result), g.type()), count));
  }

  private Tensor fields(Tensor flat, long count) {
    return g.reshape(flat, flat.dim(0), Dim.of(count), Dim.of(flat.dim(1).size() / count));
  }

  /** x [B, n, d] as [B, n d]. */
  static Tensor flat(GraphBuilder g, Tensor x) {
    return g.reshape(x, x.dim(0), x.dim(1).times(x.dim(2)));
  }
}
