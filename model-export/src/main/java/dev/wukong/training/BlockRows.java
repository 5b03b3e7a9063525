package dev.wukong.training;

import dev.wukong.data.EncodedExamples;

/**
 * The embedding rows of a block of minibatches on a device: how they and their optimizer's state
 * come to where steps read them, and where what steps made of them goes. Owned by the training
 * thread.
 */
sealed interface BlockRows extends AutoCloseable permits StreamedRows, ResidentRows {
  /** Finds the rows of a block: who asks for slots and sizes then hears of these. */
  void bind(EncodedExamples block);

  /** Puts the rows into a copy of what steps change, once that has room for them. */
  void give(int copy);

  /** Takes what steps have made of them from a copy. */
  void take(int copy);

  /** Gives back what it has of the device. */
  @Override
  void close();
}
