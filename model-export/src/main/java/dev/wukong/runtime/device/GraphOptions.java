package dev.wukong.runtime.device;

import dev.wukong.runtime.CudaOptions;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How a {@link BoundGraph} is loaded.
 *
 * @param threads of the processors' own pool, the calling thread included
 * @param spin whether idle threads of the pool busy-wait for work
 * @param cuda how a GPU is used
 * @param profile where each run's operators are written with their times, if anywhere: the
 *     beginning of a file's name
 */
public record GraphOptions(int threads, boolean spin, CudaOptions cuda, Optional<Path> profile) {}
