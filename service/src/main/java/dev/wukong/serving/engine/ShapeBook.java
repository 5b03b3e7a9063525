package dev.wukong.serving.engine;

import dev.wukong.bundle.BatchShape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which shapes of batches are recorded, by what they were measured to cost. A run of fewer
 * candidates takes the cheapest recorded shape that has room for it. Shared by the engines of a
 * bundle, whose graphs differ in their weights alone. Any thread.
 */
final class ShapeBook {
  /** The order in which shapes are recorded. */
  static final Comparator<BatchShape> LARGEST_FIRST =
      Comparator.comparingInt(BatchShape::candidates)
          .thenComparingInt(BatchShape::contexts)
          .reversed();

  private static final int SMALLEST = 32;

  /** Contexts of the shapes: some few requests a batch, or very many. */
  private static final int[] CONTEXTS = {1, 4, 16, 64, 256, 1024};

  /** So many candidates a context at least: fewer are no batch of requests. */
  private static final int PER_CONTEXT = 16;

  /** A shape that is not cheaper than a larger one by this share is not worth its memory. */
  private static final double SAVES = 0.03;

  private final List<BatchShape> all;

  /** What has room for all shapes. */
  private final BatchShape room;

  /** The largest batch, each of whose candidates may have a context of its own. */
  private final BatchShape most;

  /** Nanoseconds by shape, as measured. Guarded by this. */
  private final Map<BatchShape, Double> costs = new HashMap<>();

  /** Those that runs took. Guarded by this. */
  private final Set<BatchShape> used = new HashSet<>();

  /** What is recorded, the cheapest first; empty until {@link #choose}. */
  private volatile List<BatchShape> chosen = List.of();

  private volatile boolean measured;

  /**
   * Nothing measured.
   *
   * @param maxRows candidates of the largest batch
   */
  ShapeBook(int maxRows, boolean contexts) {
    all = new ArrayList<>();
    for (int candidates : ladder(maxRows)) {
      if (!contexts) {
        all.add(new BatchShape(candidates, 0));
        continue;
      }
      for (int count : CONTEXTS) {
        if (count == 1 || (long) count * PER_CONTEXT <= candidates) {
          all.add(new BatchShape(candidates, count));
        }
      }
    }
    all.sort(LARGEST_FIRST);
    room = new BatchShape(maxRows, all.getFirst().contexts());
    most = new BatchShape(maxRows, contexts ? maxRows : 0);
  }

  /** Powers of two and what lies halfway between them. */
  private static List<Integer> ladder(int maxRows) {
    List<Integer> sizes = new ArrayList<>();
    for (long size = SMALLEST; size < maxRows; size *= 2) {
      sizes.add((int) size);
      if (size * 3 / 2 < maxRows) {
        sizes.add((int) (size * 3 / 2));
      }
    }
    sizes.add(maxRows);
    return sizes;
  }

  /**
   * The shapes that a new engine should record, the largest first: all while nothing is measured,
   * then those of the chosen ones that runs took.
   */
  synchronized List<BatchShape> wanted() {
    if (!measured) {
      return List.copyOf(all);
    }
    return all.stream().filter(shape -> chosen.contains(shape) && used.contains(shape)).toList();
  }

  /** What has room for every shape that may be recorded. */
  BatchShape room() {
    return room;
  }

  /** What has room for every batch that is to be expected. */
  BatchShape most() {
    return most;
  }

  /** Whether costs are known. */
  boolean measured() {
    return measured;
  }

  /**
   * What a shape costs.
   *
   * @param exact nanoseconds of a run that is not recorded
   * @param recorded nanoseconds of one that is
   */
  synchronized void measured(BatchShape shape, double exact, double recorded) {
    if (recorded < exact) {
      costs.put(shape, recorded);
    }
  }

  /** All have been measured: chooses those that are worth their memory. */
  synchronized void choose() {
    List<BatchShape> kept = new ArrayList<>();
    for (BatchShape shape : all) { // Largest first: what is kept may stand for smaller ones.
      Double cost = costs.get(shape);
      if (cost != null
          && kept.stream()
              .noneMatch(
                  larger ->
                      larger.holds(shape)
                          && costs.getOrDefault(larger, Double.MAX_VALUE) * (1 - SAVES) <= cost)) {
        kept.add(shape);
      }
    }
    kept.sort(Comparator.comparingDouble(shape -> costs.getOrDefault(shape, Double.MAX_VALUE)));
    chosen = List.copyOf(kept);
    measured = true;
  }

  /** The recorded shapes, the cheapest first. */
  List<BatchShape> chosen() {
    return chosen;
  }

  /** The cheapest recorded shape with room for {@code run}; empty where it runs as it is. */
  Optional<BatchShape> fit(BatchShape run) {
    for (BatchShape shape : chosen) {
      if (shape.holds(run)) {
        return Optional.of(shape);
      }
    }
    return Optional.empty();
  }

  /** A run took {@code shape}. */
  synchronized void used(BatchShape shape) {
    boolean _ = used.add(shape);
  }
}
