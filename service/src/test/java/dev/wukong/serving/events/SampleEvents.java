package dev.wukong.serving.events;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.RowKey;
import java.util.SplittableRandom;

/** Events of all kinds, drawn by chance. One thread. */
final class SampleEvents {
  private final SplittableRandom random;

  SampleEvents(long seed) {
    random = new SplittableRandom(seed);
  }

  /** A request that was scored, whose arrays are no longer than its rows need. */
  ScoredRequest request(PredictionId id) {
    RowShape context = random.nextBoolean() ? shape() : new RowShape(0, false, 0);
    int contexts = random.nextBoolean() ? random.nextInt(1, 4) : 0;
    int candidates = random.nextInt(1, 9);
    int tasks = random.nextInt(1, 4);
    int[] contextOf = new int[contexts == 0 ? 0 : candidates];
    for (int i = 0; i < contextOf.length; i++) {
      contextOf[i] = random.nextInt(contexts);
    }
    return new ScoredRequest(
        id,
        new ScoredVersion(random.nextLong(), random.nextInt(9), number(), number()),
        random.nextLong(),
        rows(contexts, context, 0),
        rows(candidates, shape(), 0),
        contextOf,
        tasks,
        floats(candidates * tasks));
  }

  /** What a row has; may be no ids, no weights or no numbers. */
  RowShape shape() {
    return new RowShape(random.nextInt(6), random.nextBoolean(), random.nextInt(4));
  }

  /** Rows whose arrays have {@code spare} more than they need. */
  EncodedRows rows(int rows, RowShape shape, int spare) {
    int positions = rows * shape.positions();
    long[] ids = new long[positions + spare];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = id();
    }
    boolean weighted = shape.weighted() && positions > 0;
    return new EncodedRows(
        rows,
        ids,
        floats(weighted ? positions + spare : 0),
        floats(rows * shape.denseWidth() + spare));
  }

  private long id() {
    return switch (random.nextInt(4)) {
      case 0 -> RowKey.NONE;
      case 1 -> random.nextLong(3);
      case 2 -> random.nextLong(RowKey.ID_LIMIT);
      default -> RowKey.ID_LIMIT - 1;
    };
  }

  private long number() {
    return random.nextLong() >>> random.nextInt(1, Long.SIZE);
  }

  /** Any bits, also of what is no number. */
  private float[] floats(int count) {
    float[] floats = new float[count];
    for (int i = 0; i < count; i++) {
      floats[i] = Float.intBitsToFloat(random.nextInt());
    }
    return floats;
  }

  /** The prediction that is made at {@code madeMs} and has this number. */
  static PredictionId id(long madeMs, long number) {
    return new PredictionId(madeMs << 16 | 0x5A5A, number);
  }

  /** A request of so many candidates of one feature each. */
  static ScoredRequest small(PredictionId id, int candidates) {
    EncodedRows none = new EncodedRows(0, new long[0], new float[0], new float[0]);
    EncodedRows rows =
        new EncodedRows(candidates, new long[candidates], new float[0], new float[0]);
    return new ScoredRequest(
        id, new ScoredVersion(1, 0, 0, 0), 7, none, rows, new int[0], 1, new float[candidates]);
  }

  /** The same, encoded. */
  static EncodedEvent scored(String model, PredictionId id, int candidates) {
    return EncodedEvent.of(model, new Event.Scored(small(id, candidates)));
  }

  /** Any event but a scored request. */
  Event other() {
    return switch (random.nextInt(5)) {
      case 0 ->
          new Event.Exposed(
              number(),
              random.ints(random.nextInt(9), 0, 500).toArray(),
              random.nextLong(),
              random.nextBoolean() ? "" : "token:web");
      case 1 ->
          new Event.Labelled(
              number(),
              random.nextInt(500),
              random.nextBoolean() ? "click" : "köpa",
              random.nextFloat(),
              random.nextFloat(),
              random.nextLong(),
              random.nextBoolean() ? "" : "uri:spiffe://shop/größe");
      case 2 -> new Event.Boundary();
      case 3 -> new Event.Frozen(random.nextBoolean());
      default -> new Event.Ordered(Event.Order.STEP_BACK, random.nextLong());
    };
  }
}
