package dev.wukong.plan;

/**
 * What the service takes beside the model's graph, as the benchmarks {@code predict-cost} and
 * {@code sizing} have measured it on two cores of an AMD EPYC. Microseconds of a core, and bytes.
 */
final class Costs {
  /** To find a row's float and copy it: 1.7 us for 272 floats of a candidate, 11.6 for 1,088. */
  static final double ROW_FLOAT = 0.0085;

  /** A request: its call, its context, its threads. */
  static final double REQUEST = 150;

  /** A byte of a prediction on its way to the brokers. */
  static final double LOGGED_BYTE = 0.01;

  /** A row of a commit in a replica that follows: read, checked, written, visible. */
  static final double FOLLOWED_ROW = 12;

  /** A commit of any size. */
  static final double FOLLOWED_COMMIT = 60_000;

  /** A commit of any size in the replica that trains. */
  static final double MADE_COMMIT = 230_000;

  /** An example besides its way through the graph: joined, its rows found and changed. */
  static final double EXAMPLE = 105;

  /** A step forward and back beside the predict graph. */
  static final double STEP_BY_GRAPH = 4;

  /** Of a process: Java's own memory, libraries, threads, buffers. */
  static final double PROCESS = 420e6;

  /** Java's heap at work. */
  static final double HEAP = 250e6;

  /** Of the trainer besides: a second network with its optimizer, the join, the log. */
  static final double TRAINER = 330e6;

  /** A row in memory beside its floats: its version, who is older, what finds it. */
  static final double RESIDENT_ROW = 40;

  /** A row in the store beside its floats: keys, its life; and what compaction has not freed. */
  static final double STORED_ROW = 110;

  static final double STORE_SPARE = 1.3;

  /** A row in Redis beside its floats: its key, Redis' own. */
  static final double REDIS_ROW = 130;

  /** Of one of a value's two versions. */
  static final double REDIS_VERSION = 12;

  /** A prediction or an event beside ids and numbers. */
  static final double EVENT = 90;

  private Costs() {}
}
