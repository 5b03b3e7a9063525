package dev.wukong.serving.testing;

import dev.wukong.serving.embedding.BulkRows;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowReader;
import dev.wukong.serving.embedding.RowSample;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowsView;
import java.util.Optional;
import java.util.Set;

/** A store that does what another one does, which stays its owner's to close. */
public class ForwardingStore implements RowStore {
  private final RowStore store;

  /** Over {@code store}. */
  protected ForwardingStore(RowStore store) {
    this.store = store;
  }

  @Override
  public boolean durable() {
    return store.durable();
  }

  @Override
  public RowReader reader(RowsView view) {
    return store.reader(view);
  }

  @Override
  public long version(RowsView view) {
    return store.version(view);
  }

  @Override
  public void apply(RowCommit commit) {
    store.apply(commit);
  }

  @Override
  public BulkRows bulk(RowsView view, String digest, RowSample sample) {
    return store.bulk(view, digest, sample);
  }

  @Override
  public void markImported(RowsView view, String digest) {
    store.markImported(view, digest);
  }

  @Override
  public Optional<String> imported(RowsView view) {
    return store.imported(view);
  }

  @Override
  public Set<RowsView> stored() {
    return store.stored();
  }

  @Override
  public void drop(RowsView view) {
    store.drop(view);
  }

  @Override
  public void close() {}
}
