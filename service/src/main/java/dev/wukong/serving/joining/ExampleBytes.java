package dev.wukong.serving.joining;

import dev.wukong.data.EncodedRows;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.ScoredVersion;
import dev.wukong.serving.joining.Example.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;

/** Examples at rest, with all that is learned from. */
public final class ExampleBytes {
  private static final int FORM = 1;

  /** No example has fewer bytes. */
  private static final int LEAST = 40;

  private ExampleBytes() {}

  /** Writes {@code examples}. */
  public static byte[] of(List<Example> examples) {
    ValueWriter to = new ValueWriter(FORM);
    to.number(examples.size());
    Shown before = null;
    for (Example example : examples) {
      write(example, to);
      Shown shown = example.shown();
      // Those of one prediction come together, and most of what they have is their context.
      boolean same = before != null && same(before.context(), shown.context());
      write(shown, same, to);
      before = shown;
    }
    return to.bytes();
  }

  private static void write(Example example, ValueWriter to) {
    to.number(example.task());
    to.floats(example.label(), example.weight());
    to.number(code(example.kind()));
    to.number(code(example.weighting()));
    to.fraction(example.within());
    to.number(example.atMs());
    to.number(example.timely() ? 1 : 0);
  }

  private static int code(Kind kind) {
    return switch (kind) {
      case POSITIVE -> 0;
      case NEGATIVE -> 1;
      case LATE -> 2;
    };
  }

  private static int code(Weighting weighting) {
    return switch (weighting) {
      case PLAIN -> 0;
      case FAKE_NEGATIVE -> 1;
      case CONSTANT_WAIT -> 2;
      case EXPLICIT -> 3;
    };
  }

  private static boolean same(EncodedRows one, EncodedRows other) {
    return one.rows() == other.rows()
        && Arrays.equals(one.ids(), other.ids())
        && Arrays.equals(one.weights(), other.weights())
        && Arrays.equals(one.dense(), other.dense());
  }

  private static void write(Shown shown, boolean same, ValueWriter to) {
    to.number(shown.scored());
    to.number(shown.position());
    to.fixed(shown.id().high());
    to.fixed(shown.id().low());
    to.number(shown.version().bundle());
    to.number(shown.version().epoch());
    to.number(shown.version().dense());
    to.number(shown.version().rows());
    to.fixed(shown.encoding());
    to.number(same ? 1 : 0);
    if (!same) {
      write(shown.context(), to);
    }
    write(shown.candidate(), to);
    to.floats(shown.probabilities());
  }

  private static void write(EncodedRows rows, ValueWriter to) {
    to.number(rows.rows());
    to.numbers(rows.ids());
    to.floats(rows.weights());
    to.floats(rows.dense());
  }

  /**
   * What {@link #of} wrote.
   *
   * @throws IllegalStateException if it is damaged
   */
  public static List<Example> read(byte[] bytes) {
    ValueReader from = new ValueReader("the examples that wait", bytes, FORM);
    List<Example> examples = new ArrayList<>();
    EncodedRows context = new EncodedRows(0, new long[0], new float[0], new float[0]);
    for (int left = from.count(LEAST); left > 0; left--) {
      Example example = read(from, context);
      context = example.shown().context();
      examples.add(example);
    }
    from.end();
    return List.copyOf(examples);
  }

  private static Example read(ValueReader from, EncodedRows before) {
    int task = from.index();
    float[] labelAndWeight = from.floats();
    if (labelAndWeight.length != 2) {
      throw from.damaged("%d numbers of a label, must be 2".formatted(labelAndWeight.length));
    }
    Kind kind = one(Kind.values(), ExampleBytes::code, from);
    Weighting weighting = one(Weighting.values(), ExampleBytes::code, from);
    double within = from.fraction();
    long atMs = from.number();
    boolean timely = from.number() == 1;
    return new Example(
        shown(from, before),
        task,
        labelAndWeight[0],
        labelAndWeight[1],
        kind,
        weighting,
        within,
        atMs,
        timely);
  }

  private static <E> E one(E[] values, ToIntFunction<E> code, ValueReader from) {
    int is = from.index();
    for (E value : values) {
      if (code.applyAsInt(value) == is) {
        return value;
      }
    }
    throw from.damaged("code %d of one of %s".formatted(is, Arrays.toString(values)));
  }

  private static Shown shown(ValueReader from, EncodedRows before) {
    return new Shown(
        from.number(),
        from.index(),
        new PredictionId(from.fixed(), from.fixed()),
        new ScoredVersion(from.number(), from.number(), from.number(), from.number()),
        from.fixed(),
        from.number() == 1 ? before : rows(from),
        rows(from),
        from.floats());
  }

  private static EncodedRows rows(ValueReader from) {
    return new EncodedRows(from.index(), from.numbers(), from.floats(), from.floats());
  }
}
