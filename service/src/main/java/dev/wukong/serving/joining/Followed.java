package dev.wukong.serving.joining;

import dev.wukong.serving.joining.Slot.Opening;
import dev.wukong.serving.joining.Slot.Phase;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is known of a prediction of which candidates were exposed or labelled. One thread. */
final class Followed {
  private static final int FORM = 1;

  // A slot at rest: never opened, labelled, or one of these and twice the number of its opening.
  private static final int NEVER = 0;
  private static final int LABELLED = 1;
  private static final int OPEN = 2;
  private static final int CLOSED = 3;

  /** What a slot needs no more after its label. */
  private static final Opening NO_MATTER = new Opening(0, 0, 0);

  private final Map<Integer, Candidate> candidates = new LinkedHashMap<>();
  private final List<Waiting> waiting = new ArrayList<>();

  /** The candidate at a position of the request; null: it was not exposed. */
  @Nullable Candidate candidate(int position) {
    return candidates.get(position);
  }

  void expose(Candidate candidate) {
    candidates.put(candidate.position(), candidate);
  }

  void forget(Candidate candidate) {
    candidates.remove(candidate.position());
  }

  /** Labels that came before what they need, as they came. */
  Collection<Waiting> waiting() {
    return waiting;
  }

  /** The label of a task of a candidate that waits, if one does. */
  @Nullable Waiting waiting(int candidate, int number) {
    for (Waiting label : waiting) {
      if (label.candidate() == candidate && label.number() == number) {
        return label;
      }
    }
    return null;
  }

  boolean isEmpty() {
    return candidates.isEmpty() && waiting.isEmpty();
  }

  byte[] bytes() {
    ValueWriter to = new ValueWriter(FORM);
    List<Opening> openings =
        candidates.values().stream().flatMap(Followed::openings).distinct().toList();
    to.number(openings.size());
    for (Opening opening : openings) {
      to.number(opening.by());
      to.number(opening.atMs());
      to.number(opening.timeMs());
    }
    to.number(candidates.size());
    for (Candidate candidate : candidates.values()) {
      to.number(candidate.position());
      to.number(candidate.heldBy());
      to.number(candidate.slots());
      for (int number = 0; number < candidate.slots(); number++) {
        to.number(code(candidate.slot(number), openings));
      }
    }
    to.number(waiting.size());
    for (Waiting label : waiting) {
      to.number(label.logged());
      to.number(label.atMs());
      to.number(label.candidate());
      to.number(label.number());
      to.floats(label.value(), label.weight());
      to.number(label.timeMs());
    }
    return to.bytes();
  }

  private static Stream<Opening> openings(Candidate candidate) {
    return IntStream.range(0, candidate.slots())
        .mapToObj(candidate::slot)
        .filter(slot -> slot != null && !slot.is(Phase.LABELLED))
        .map(Slot::opening);
  }

  private static int code(@Nullable Slot slot, List<Opening> openings) {
    if (slot == null) {
      return NEVER;
    }
    return switch (slot.phase()) {
      case LABELLED -> LABELLED;
      case OPEN -> OPEN + 2 * openings.indexOf(slot.opening());
      case CLOSED -> CLOSED + 2 * openings.indexOf(slot.opening());
    };
  }

  /** What {@link #bytes} made. */
  static Followed of(long scored, byte[] bytes) {
    ValueReader from = new ValueReader("what is known of the prediction at " + scored, bytes, FORM);
    List<Opening> openings = new ArrayList<>();
    for (int left = from.count(3); left > 0; left--) {
      openings.add(new Opening(from.number(), from.number(), from.number()));
    }
    Followed followed = new Followed();
    for (int left = from.count(3); left > 0; left--) {
      Candidate candidate = new Candidate(from.index(), from.number());
      int slots = from.count(1);
      for (int number = 0; number < slots; number++) {
        int code = from.index();
        if (code != NEVER) {
          candidate.put(number, slot(code, openings, from));
        }
      }
      followed.expose(candidate);
    }
    for (int left = from.count(6); left > 0; left--) {
      followed.waiting.add(label(from));
    }
    from.end();
    return followed;
  }

  private static Slot slot(int code, List<Opening> openings, ValueReader from) {
    if (code == LABELLED) {
      return new Slot(Phase.LABELLED, NO_MATTER);
    }
    int opening = (code - OPEN) / 2;
    if (opening >= openings.size()) {
      throw from.damaged("opening %d of %d".formatted(opening, openings.size()));
    }
    return new Slot((code & 1) == 0 ? Phase.OPEN : Phase.CLOSED, openings.get(opening));
  }

  private static Waiting label(ValueReader from) {
    long logged = from.number();
    long atMs = from.number();
    int candidate = from.index();
    int number = from.index();
    float[] valueAndWeight = from.floats();
    if (valueAndWeight.length != 2) {
      throw from.damaged("%d numbers of a label, must be 2".formatted(valueAndWeight.length));
    }
    return new Waiting(
        logged, atMs, candidate, number, valueAndWeight[0], valueAndWeight[1], from.number());
  }
}
