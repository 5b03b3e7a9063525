package dev.wukong.runtime.device;

import dev.wukong.runtime.CudaOptions;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How a {@link BoundGraph} is loaded.
 *
 * @param threads of the processors' own pool, the calling thread included
 * @param spin whether idle threads of the pool busy-wait for work
 * @param cuda how a GPU is used
 * @param profile where each run's operators are written with their times, if anywhere: the
 *     beginning of a file's name
 * @param dimensions how large dimensions are that the model leaves open, by their names; others
 *     stay open
 */
public record GraphOptions(
    int threads,
    boolean spin,
    CudaOptions cuda,
    Optional<Path> profile,
    Map<String, Long> dimensions) {
  public GraphOptions {
    dimensions = Map.copyOf(dimensions);
  }

  /** Without a profile, all dimensions open. */
  public GraphOptions(int threads, boolean spin, CudaOptions cuda) {
    this(threads, spin, cuda, Optional.empty(), Map.of());
  }

  /** The same with a profile. */
  public GraphOptions profiled(Path prefix) {
    return new GraphOptions(threads, spin, cuda, Optional.of(prefix), dimensions);
  }

  /** The same with dimensions of one size. */
  public GraphOptions fixed(Map<String, Long> sizes) {
    return new GraphOptions(threads, spin, cuda, profile, sizes);
  }
}
