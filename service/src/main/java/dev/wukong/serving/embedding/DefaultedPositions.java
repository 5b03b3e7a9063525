package dev.wukong.serving.embedding;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import java.util.BitSet;

/**
 * The id positions of one request whose value has no row of its own: unseen by a vocabulary, or
 * without a stored row. A position counts once, whichever of its tables lacks it and however often
 * its context is used. Not thread-safe.
 */
public final class DefaultedPositions {
  private final int contextPositions;
  private final int candidatePositions;
  private final BitSet context = new BitSet();
  private final BitSet candidate = new BitSet();
  private final BitSet contextUnread = new BitSet();
  private final BitSet candidateUnread = new BitSet();

  /** None yet. */
  public DefaultedPositions(InputLayout layout) {
    contextPositions = layout.positions(Scope.CONTEXT);
    candidatePositions = layout.positions(Scope.CANDIDATE);
  }

  /** Adds the positions of all rows whose values the vocabularies do not know. */
  public void addUnseen(EncodedRows contexts, EncodedRows candidates) {
    addUnseen(contexts, contextPositions, context);
    addUnseen(candidates, candidatePositions, candidate);
  }

  private static void addUnseen(EncodedRows rows, int positions, BitSet to) {
    int count = rows.rows() * positions;
    for (int i = 0; i < count; i++) {
      if (rows.ids()[i] == RowKey.UNSEEN) {
        to.set(i);
      }
    }
  }

  /**
   * Adds one position of a row, unless its value is absent: what stands for that is a row, too,
   * which may be unread like any other, but nobody is told that an id of theirs has none.
   *
   * @param unread whether its row could not be read in time
   */
  void add(Scope scope, EncodedRows rows, int row, int position, boolean unread) {
    switch (scope) {
      case CONTEXT -> {
        int at = row * contextPositions + position;
        add(rows, at, context);
        if (unread) {
          contextUnread.set(at);
        }
      }
      case CANDIDATE -> {
        int at = row * candidatePositions + position;
        add(rows, at, candidate);
        if (unread) {
          candidateUnread.set(at);
        }
      }
    }
  }

  private static void add(EncodedRows rows, int at, BitSet to) {
    if (rows.ids()[at] != RowKey.MISSING) {
      to.set(at);
    }
  }

  /** How many of the positions had a row that could not be read in time. */
  public int unread() {
    return contextUnread.cardinality() + candidateUnread.cardinality();
  }

  /**
   * Says that what is prepared is of no use unless all rows were read.
   *
   * @throws StoreException if some were not
   */
  public void requireRead() {
    int unread = unread();
    if (unread > 0) {
      throw new StoreException(
          "%d rows could not be read from the row store; the log says why".formatted(unread), null);
    }
  }

  /** How many positions. */
  public int count() {
    return context.cardinality() + candidate.cardinality();
  }
}
