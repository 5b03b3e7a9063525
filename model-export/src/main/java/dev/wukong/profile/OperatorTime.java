package dev.wukong.profile;

/**
 * What one node of a graph, as the runtime has optimized it, takes.
 *
 * @param node its name; of some that were fused, of one of them
 * @param operator its type
 * @param micros microseconds in one run; on a GPU those of launching it, unless launches wait for
 *     the device (CUDA_LAUNCH_BLOCKING)
 */
public record OperatorTime(String node, String operator, double micros) {
  /**
   * The part of the graph that it belongs to: its name without the last piece, at most two deep;
   * {@code -} where the graph gives it no name.
   */
  public String part() {
    // What the runtime puts around the names of the nodes that it makes out of others.
    String own =
        node.replaceFirst("^(fused |InsertedPrecisionFreeCast_)", "")
            .replaceFirst("/MatmulTransposeFusion/?$", "");
    String[] pieces = own.split("/", -1);
    return switch (pieces.length) {
      case 1 -> "-";
      case 2 -> pieces[0];
      default -> pieces[0] + "/" + pieces[1];
    };
  }
}
