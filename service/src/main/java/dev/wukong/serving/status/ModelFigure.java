package dev.wukong.serving.status;

/**
 * What is shown of a model over time. Rates are a second, over the time since the sample before;
 * quantiles are milliseconds of what was measured in that time.
 */
enum ModelFigure {
  /** Requests answered, a second. */
  ANSWERED("answered"),
  /** Candidates answered, a second. */
  CANDIDATES("candidates"),
  /** Candidates a second whose deadline passed while they waited. */
  DROPPED("dropped"),
  DECODE_P50("decodeP50"),
  DECODE_P99("decodeP99"),
  RESOLVE_P50("resolveP50"),
  RESOLVE_P99("resolveP99"),
  QUEUE_P50("queueP50"),
  QUEUE_P99("queueP99"),
  RUN_P50("runP50"),
  RUN_P99("runP99"),
  TOTAL_P50("totalP50"),
  TOTAL_P99("totalP99"),
  /** Batches a second. */
  BATCHES("batches"),
  /** Candidates a batch, the mean. */
  BATCH_ROWS("batchRows"),
  /** Candidates in work now, from admission to the answer. */
  IN_WORK("inWork"),
  /** Candidates that wait for a batch now. */
  WAITING("waiting"),
  /** Milliseconds that what comes now is expected to wait. */
  EXPECTED_WAIT("expectedWait"),
  /** How long answers take, by what their batches alone would; 1 or more. */
  SLOWNESS("slowness"),
  /** Rows in memory now, of the version that serves. */
  RESIDENT("resident"),
  /** Distinct rows a second that requests found in memory. */
  FROM_MEMORY("fromMemory"),
  /** Distinct rows a second that were read from the store. */
  FROM_STORE("fromStore"),
  /** Distinct keys a second that have no row. */
  FROM_NOWHERE("fromNowhere"),
  /** Percent of the distinct rows with a row that were in memory. */
  HIT_RATE("hitRate"),
  /** Positions of ids a second whose value has no row of its own. */
  DEFAULTED("defaulted"),
  /** Values a second that were left out. */
  MISSING("missing"),
  /** Values a second beyond a feature's positions. */
  TRUNCATED("truncated");

  private final String key;

  ModelFigure(String key) {
    this.key = key;
  }

  /** Its name in JSON. */
  String key() {
    return key;
  }
}
