package dev.wukong.serving.hosting;

import dev.wukong.serving.embedding.BulkRows;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowSample;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.testing.ForwardingStore;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A store that fails on the rows of chosen models, and counts how often it was asked. Taken for
 * durable.
 */
final class FailingStore extends ForwardingStore {
  private final Map<String, Throwable> failures = new ConcurrentHashMap<>();
  final AtomicInteger asked = new AtomicInteger();

  /** Commits that were applied. */
  final AtomicInteger writes = new AtomicInteger();

  /** Runs whenever the bundles are listed. */
  Runnable onList = () -> {};

  /** Runs whenever rows have been written. */
  Runnable onWrite = () -> {};

  /** Over rows on the heap. */
  FailingStore() {
    this(new HeapRowStore());
  }

  /** Over {@code store}, which stays the caller's to close. */
  FailingStore(RowStore store) {
    super(store);
  }

  /** Fails with {@code failure}, an error or an unchecked exception, for {@code model}. */
  void fail(String model, Throwable failure) {
    failures.put(model, failure);
  }

  /** Works from now on. */
  void heal() {
    failures.clear();
  }

  @Override
  public boolean durable() {
    return true;
  }

  @Override
  public Optional<String> imported(RowsView view) {
    asked.incrementAndGet();
    switch (failures.get(view.model())) {
      case null -> {}
      case Error error -> throw error;
      case RuntimeException exception -> throw exception;
      case Throwable other -> throw new AssertionError(other);
    }
    return super.imported(view);
  }

  @Override
  public void apply(RowCommit commit) {
    super.apply(commit);
    writes.incrementAndGet();
    onWrite.run();
  }

  @Override
  public BulkRows bulk(RowsView view, String digest, RowSample sample) {
    BulkRows rows = super.bulk(view, digest, sample);
    return new BulkRows() {
      @Override
      public long after() {
        return rows.after();
      }

      @Override
      public void add(int width, long[] keys, int count, float[] values) {
        rows.add(width, keys, count, values);
        writes.incrementAndGet();
        onWrite.run();
      }

      @Override
      public void finish() {
        rows.finish();
      }

      @Override
      public void close() {
        rows.close();
      }
    };
  }

  @Override
  public Set<RowsView> stored() {
    onList.run();
    return super.stored();
  }
}
