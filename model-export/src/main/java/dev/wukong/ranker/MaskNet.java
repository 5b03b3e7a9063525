package dev.wukong.ranker;

import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** MaskNet: blocks whose input is multiplied by a mask made from the embeddings. */
final class MaskNet {
  private MaskNet() {}

  /** Logits [B, tasks]. */
  static Tensor logits(Network net, MaskNetConfig config, RankerInputs inputs, int tasks) {
    GraphBuilder g = net.graph();
    Tensor x = new Fields(net, inputs, config).embeddings(); // [B, f, d]
    Tensor raw = Fields.flat(g, x); // [B, D]
    Tensor hidden = raw;
    if (config.embeddingNorm()) {
      try (var _ = g.scope("embedding")) {
        hidden = Fields.flat(g, net.layerNormEach(x));
      }
    }
    List<Tensor> outputs = new ArrayList<>();
    for (int i = 0; i < config.blocks().size(); i++) {
      boolean after = config.arrangement() == MaskNetConfig.Arrangement.SERIAL && i > 0;
      try (var _ = g.scope("block" + i)) {
        Tensor in = after ? outputs.getLast() : hidden;
        outputs.add(block(net, config, raw, in, config.blocks().get(i)));
      }
    }
    return switch (config.arrangement()) {
      case SERIAL -> Mlp.logits(net, outputs.getLast(), tasks);
      case PARALLEL -> {
        try (var _ = g.scope("deep")) {
          yield Mlp.logits(net, g.concat(1, outputs), config.deep(), tasks);
        }
      }
    };
  }

  /** A mask block (section 3.3): ReLU(norm(W (mask * x))), [B, out]. */
  private static Tensor block(
      Network net, MaskNetConfig config, Tensor embeddings, Tensor x, long out) {
    GraphBuilder g = net.graph();
    Tensor mask;
    try (var _ = g.scope("mask")) {
      // Of the input's width, cut to a whole number: so the published figures count.
      long wide = Math.max(1, (long) (x.dim(1).size() * config.reduction()));
      MlpConfig made = new MlpConfig(List.of(Math.toIntExact(wide)), false, 0);
      mask = Mlp.of(net, embeddings, made, x.dim(1).size());
    }
    Tensor made = net.linearNoBias(g.mul(mask, x), out);
    Tensor normal = config.blockNorm() ? net.layerNorm(made) : made;
    return net.dropout(g.apply(new Op.Relu(), normal), config.dropout());
  }
}
