/**
 * Benchmarks: each measures a list of figures on this machine, the runner prints them and writes
 * them down. Benchmarks are found as services of {@link dev.wukong.bench.Benchmark}, so that every
 * module may bring its own.
 */
@NullMarked
package dev.wukong.bench;

import org.jspecify.annotations.NullMarked;
