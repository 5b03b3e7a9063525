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

  /** Adds one position of a row, unless its value is absent. */
  void add(Scope scope, EncodedRows rows, int row, int position) {
    switch (scope) {
      case CONTEXT -> add(rows, row * contextPositions + position, context);
      case CANDIDATE -> add(rows, row * candidatePositions + position, candidate);
    }
  }

  private static void add(EncodedRows rows, int at, BitSet to) {
    if (rows.ids()[at] != RowKey.MISSING) {
      to.set(at);
    }
  }

  /** How many positions. */
  public int count() {
    return context.cardinality() + candidate.cardinality();
  }
}
