package dev.wukong.bundle;

import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Map;

/** Takes the rows of a table, or their optimizer state, a file at a time. */
@FunctionalInterface
public interface PartVisitor {
  /**
   * Takes the next rows. All buffers are read-only, row-major, and valid until the bundle is
   * closed.
   *
   * @param ids [N], ascending, and above all ids of earlier calls
   * @param values by tensor name, [N, k] each: {@code rows}, or the state's own names
   */
  void part(LongBuffer ids, Map<String, FloatBuffer> values);
}
