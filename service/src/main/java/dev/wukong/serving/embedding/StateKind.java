package dev.wukong.serving.embedding;

/** What a piece of training's memory is about. Keys are not negative. */
public enum StateKind {
  /** By row key: when a row was last learned from, and how often. */
  LIFE('l', false, false),

  /** By row key: what the optimizer keeps of a row. */
  OPTIMIZER('o', false, false),

  /** By row key: how often an id without a row was seen in this period, and ... */
  SIGHTS_EVEN('0', false, false),

  /** ... in the one before; or the other way round. */
  SIGHTS_ODD('1', false, false),

  /** By what its owner says: how far something that goes on for long has come. */
  PROGRESS('p', false, false),

  /** By number of the piece: the dense weights and what their optimizer keeps. */
  DENSE('d', false, true),

  /** By what its owner says: what was trained, and by whom. */
  COMMIT('c', false, true),

  /** By row key: what the optimizer kept of a row before it changed since a healthy state. */
  UNDO('b', false, false),

  /** By number of the healthy state, and of the piece: what is kept of it besides rows. */
  HEALTHY('h', false, true),

  /** By position in the log: what is known of a prediction that was shown or labelled. */
  JOIN('j', true, false),

  /** By position in the log: the features of the candidates of a prediction that were shown. */
  SHOWN('s', true, false),

  /** By position in the log: what waits for its time. */
  DUE('u', true, false),

  /** By what its owner says: what the join knows beside these. */
  CURSOR('k', true, true),

  /** By row key: until when nothing is learned for an id that was erased. */
  ERASED('e', true, false),

  /** By position in the log: where the predictions from there on stand in a cluster's streams. */
  RUNS('r', true, false);

  private final char code;
  private final boolean ofModel;
  private final boolean serves;

  StateKind(char code, boolean ofModel, boolean serves) {
    this.code = code;
    this.ofModel = ofModel;
    this.serves = serves;
  }

  /** Says at rest which it is; never changes. */
  public byte code() {
    return (byte) code;
  }

  /** Whether who serves and never trains needs it; there is little of these, however many rows. */
  public boolean serves() {
    return serves;
  }

  /** Whose it is: that of {@code view}'s bundle, or all bundles' of its model. */
  RowsView owner(RowsView view) {
    return ofModel ? view.ofModel() : view;
  }
}
