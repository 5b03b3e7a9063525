package dev.wukong.serving.embedding;

/** What a piece of training's memory is about. */
public enum StateKind {
  /** By row key: when a row was last learned from, and how often. */
  LIFE('l'),

  /** By row key: what the optimizer keeps of a row. */
  OPTIMIZER('o'),

  /** By row key: how often an id without a row was seen in this period, and ... */
  SIGHTS_EVEN('0'),

  /** ... in the one before; or the other way round. */
  SIGHTS_ODD('1'),

  /** By what its owner says: how far something that goes on for long has come. */
  PROGRESS('p');

  private final char code;

  StateKind(char code) {
    this.code = code;
  }

  /** Says at rest which it is; never changes. */
  byte code() {
    return (byte) code;
  }
}
