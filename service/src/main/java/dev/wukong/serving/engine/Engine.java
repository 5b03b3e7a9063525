package dev.wukong.serving.engine;

import dev.wukong.serving.inputs.HostTensor;
import java.util.List;

/**
 * Runs one predict graph: host memory in, host memory out. Any thread, several at once; not closed
 * during a run.
 */
public interface Engine extends AutoCloseable {
  /**
   * Runs the graph once.
   *
   * @param inputs all that the graph has
   * @param outputs filled; those the caller wants
   * @throws EngineException if the run fails
   */
  void run(List<HostTensor> inputs, List<HostTensor> outputs);

  @Override
  void close();
}
