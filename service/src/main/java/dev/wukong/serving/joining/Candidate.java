package dev.wukong.serving.joining;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How it stands with a candidate that was exposed. One thread. */
final class Candidate {
  private final int position;
  private final List<@Nullable Slot> slots = new ArrayList<>();
  private long heldBy;

  /**
   * A candidate with no window open.
   *
   * @param position in the request
   * @param heldBy position in the log of the event that exposed it
   */
  Candidate(int position, long heldBy) {
    this.position = position;
    this.heldBy = heldBy;
  }

  int position() {
    return position;
  }

  /** Position in the log of the last event that opened a window: with it, this is forgotten. */
  long heldBy() {
    return heldBy;
  }

  void hold(long by) {
    heldBy = by;
  }

  /** That of a task, by the number that the task has at rest; null: its window never opened. */
  @Nullable Slot slot(int number) {
    return number < slots.size() ? slots.get(number) : null;
  }

  void put(int number, Slot slot) {
    while (slots.size() <= number) {
      slots.add(null);
    }
    slots.set(number, slot);
  }

  /** How many there are, opened or not. */
  int slots() {
    return slots.size();
  }
}
