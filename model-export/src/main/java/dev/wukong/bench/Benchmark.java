package dev.wukong.bench;

import java.util.List;

/**
 * Something that can be measured on this machine. An implementation has a public constructor
 * without parameters and is named in {@code META-INF/services/dev.wukong.bench.Benchmark}.
 */
public interface Benchmark {
  /** The name by which it is run; it keeps it for ever. Lower-case letters, digits and hyphens. */
  String name();

  /** What it measures and about how long that takes, in one line. */
  String summary();

  /** The planted defects it knows; each must turn it red, or void. */
  default List<String> bugs() {
    return List.of();
  }

  /**
   * Measures. Called once, by the main thread.
   *
   * @return the figures, in the order in which they are shown; each name once
   * @throws BenchmarkException where something is missing or the run is void: no figure is written
   */
  List<Figure> run(BenchmarkContext context) throws Exception;
}
