package dev.wukong.training;

import dev.wukong.data.Group;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * One group's rows in training, by place: blocks on the heap, with their optimizer's state; and
 * this batch's input and gradients. {@link TouchedRows} owns it.
 */
final class HeldRows {
  private static final int BLOCK = 4096;

  final int width;
  final int stateWidth;
  private final List<float[]> blocks = new ArrayList<>();
  private final List<float[]> states = new ArrayList<>();

  /** Places of rows that steps have changed since it was last asked. */
  final BitSet changed = new BitSet();

  /** Places of rows that were forgotten, one by one. */
  final BitSet forgotten = new BitSet();

  /** Places of rows that a device has, too, as they are. */
  final BitSet resident = new BitSet();

  /** Those of them that are newer there than here. */
  final BitSet newer = new BitSet();

  int size;
  Floats input;
  float[] gradients = new float[0];

  HeldRows(Group group, OptimizerConfig optimizer) {
    this.width = group.width();
    this.stateWidth = optimizer.rowState(width);
    this.input = new Floats(Arena.ofAuto(), width);
  }

  /** Copies a row to {@code to} from {@code at} on. */
  void get(int place, float[] to, int at) {
    System.arraycopy(floats(0, place), start(0, place), to, at, width);
  }

  /** A row from elsewhere: what a device has is out of date. */
  void put(int place, float[] from) {
    outdated(place);
    System.arraycopy(from, 0, floats(0, place), start(0, place), width);
  }

  /** Copies a row's state likewise. */
  void getState(int place, float[] to, int at) {
    System.arraycopy(floats(1, place), start(1, place), to, at, stateWidth);
  }

  void putState(int place, float[] from) {
    System.arraycopy(from, 0, floats(1, place), start(1, place), stateWidth);
  }

  /**
   * The block in which a row lies, or a slot of its state.
   *
   * @param column 0: the row; else the slot, from 1
   */
  float[] floats(int column, int place) {
    return (column == 0 ? blocks : states).get(place / BLOCK);
  }

  /** Where in that block it begins. */
  int start(int column, int place) {
    return column == 0
        ? place % BLOCK * width
        : place % BLOCK * stateWidth + (column - 1) * slotWidth();
  }

  /** The host's row is the newest. */
  void outdated(int place) {
    resident.clear(place);
    newer.clear(place);
  }

  /** The part of a row's state that is one slot of the optimizer's. */
  int slotWidth() {
    return stateWidth >= width ? width : stateWidth;
  }

  void grow(int places) {
    while (blocks.size() * BLOCK < places) {
      blocks.add(new float[BLOCK * width]);
      states.add(new float[BLOCK * stateWidth]);
    }
  }

  /** Has no rows any more; their memory stays, for those that come. */
  void clear() {
    size = 0;
    changed.clear();
    forgotten.clear();
    resident.clear();
    newer.clear();
  }
}
