package dev.wukong.serving.cluster;

import java.io.IOException;
import java.util.Map;

/** Makes predict graphs, of the precision that serves here. */
@FunctionalInterface
public interface Graphs {
  /**
   * That of a bundle's model with these dense weights.
   *
   * @param bundle its version
   * @throws IOException where the bundle cannot be read, or has no such weights
   */
  byte[] of(long bundle, Map<String, float[]> weights) throws IOException;
}
