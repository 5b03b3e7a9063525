package dev.wukong.serving.gating;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Parts of the examples that are looked at apart: by the candidate's place in the request, by
 * whether a canary has answered, and by the first value of a feature that operators name, hashed to
 * a few. Any thread.
 */
public final class Slices {
  /** All examples. */
  static final int ALL = 0;

  /** What people call them. */
  static final String NAME_OF_ALL = "all";

  private static final int FEW = 4;
  private static final int BUCKETS = 8;

  /** What the candidate has answered itself. */
  static final int CANARY = 4;

  private static final List<String> ALWAYS =
      List.of(
          NAME_OF_ALL, "first place", "places 2 to 4", "places from 5", "answered by the canary");

  private final List<String> names;
  private final @Nullable IdColumns feature;

  private Slices(List<String> names, @Nullable IdColumns feature) {
    this.names = List.copyOf(names);
    this.feature = feature;
  }

  /**
   * The slices of a model.
   *
   * @param by a feature; empty: none
   * @throws IllegalArgumentException where the model has no such feature of ids; the message names
   *     those it has
   */
  public static Slices of(InputLayout layout, Optional<String> by) {
    if (by.isEmpty()) {
      return byPlace();
    }
    List<String> names = new ArrayList<>(byPlace().names());
    List<IdColumns> columns = new ArrayList<>(layout.columns(Scope.CONTEXT));
    columns.addAll(layout.columns(Scope.CANDIDATE));
    IdColumns feature =
        columns.stream()
            .filter(c -> c.nth() == 0 && c.feature().name().equals(by.get()))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "wukong.online.gate.slice-by '%s' names no feature with ids, there are %s"
                            .formatted(
                                by.get(),
                                columns.stream()
                                    .map(c -> c.feature().name())
                                    .distinct()
                                    .toList())));
    for (int i = 0; i < BUCKETS; i++) {
      names.add("%s %d of %d".formatted(by.get(), i + 1, BUCKETS));
    }
    return new Slices(names, feature);
  }

  /** By place alone. */
  static Slices byPlace() {
    return new Slices(ALWAYS, null);
  }

  /** Names by number. */
  public List<String> names() {
    return names;
  }

  /**
   * The numbers of the slices that an example is in.
   *
   * @param place of the candidate in the request, from 0
   * @param context one row or none
   * @param candidate one row
   * @param canary whether what was learned has answered, while it was a canary
   */
  public int[] of(int place, EncodedRows context, EncodedRows candidate, boolean canary) {
    IntStream.Builder in = IntStream.builder();
    in.add(ALL).add(1 + (place == 0 ? 0 : place < FEW ? 1 : 2));
    if (canary) {
      in.add(CANARY);
    }
    IdColumns by = feature;
    if (by != null) {
      EncodedRows rows = by.feature().scope() == Scope.CONTEXT ? context : candidate;
      if (rows.rows() > 0) {
        in.add(ALWAYS.size() + (int) Math.floorMod(rows.ids()[by.position()], (long) BUCKETS));
      }
    }
    return in.build().toArray();
  }
}
