package dev.wukong.serving.embedding;

import java.util.Optional;
import java.util.Set;

/**
 * Where all rows of all models are, behind those in memory. Any thread may call any method; reading
 * may block on a disk or a network, so it belongs on a platform thread.
 */
public interface RowStore extends AutoCloseable {
  /** Whether what it holds outlives the process. */
  boolean durable();

  /**
   * A reader of rows as they are at {@code view}, whose version is the one written last: what is
   * written from now on with a higher one is not seen there.
   *
   * @throws StoreException if the store fails
   */
  RowReader reader(RowsView view);

  /**
   * The version of the changes of the bundle of {@code view} that were written last; 0 while it is
   * as imported.
   *
   * @throws StoreException if the store fails
   */
  long version(RowsView view);

  /**
   * Writes all changes of {@code commit}, or none. Its version must not be below the one written
   * last; one at a time a bundle.
   *
   * @throws StoreException if the store fails
   */
  void apply(RowCommit commit);

  /**
   * Begins to write all rows of the bundle of {@code view}, or goes on where that was cut short.
   * What is there from a source with another digest is dropped. One bundle at a time.
   *
   * @param digest of the source that the rows come from
   * @param sample of these rows: a store that can keep rows once that two bundles of a model share
   *     tells from it whether that is worth it
   * @throws StoreException if the store fails
   */
  BulkRows bulk(RowsView view, String digest, RowSample sample);

  /** The same where nothing is known of the rows. */
  default BulkRows bulk(RowsView view, String digest) {
    return bulk(view, digest, RowSample.NONE);
  }

  /**
   * Remembers that every row of {@code view} has been written, from the source with this digest.
   */
  void markImported(RowsView view, String digest);

  /**
   * The digest given to {@link #markImported}, where that was called for the bundle of {@code
   * view}.
   */
  Optional<String> imported(RowsView view);

  /**
   * The bundles that have a row or a mark here, each with the version 0. A drop that was cut short
   * counts, too.
   *
   * @throws StoreException if the store fails
   */
  Set<RowsView> stored();

  /**
   * Removes every row of the bundle of {@code view}, and its mark, and gives their space back; does
   * nothing where there are none. On return it is done for good; cut short, it can be done again.
   * It may take long. No one may read or write the bundle meanwhile.
   *
   * @throws StoreException if the store fails
   */
  void drop(RowsView view);

  /**
   * The same, unless another process uses the bundle; whether it is gone. Where it is not, the last
   * process that uses it can drop it.
   *
   * @throws StoreException if the store fails
   */
  default boolean dropUnused(RowsView view) {
    drop(view);
    return true;
  }

  @Override
  void close();
}
