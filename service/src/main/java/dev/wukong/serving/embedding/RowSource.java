package dev.wukong.serving.embedding;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * What all reads of one tier's rows share.
 *
 * @param model whose rows they are
 * @param reads that are under way or wait for a thread
 */
record RowSource(
    String model, RowThreads threads, StoreBreaker breaker, RowMeters meters, AtomicInteger reads) {
  /** No reads yet. */
  static RowSource of(String model, RowThreads threads, RowMeters meters) {
    return new RowSource(
        model, threads, new StoreBreaker(System::nanoTime), meters, new AtomicInteger());
  }
}
