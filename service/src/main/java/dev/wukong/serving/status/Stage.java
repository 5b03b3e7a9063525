package dev.wukong.serving.status;

/** The steps of a request whose time is measured, each by a timer with buckets. */
enum Stage {
  /** Checking the request and mapping values to ids. */
  DECODE("wukong.predict.decode", ModelFigure.DECODE_P50, ModelFigure.DECODE_P99),
  /** Finding rows. */
  RESOLVE("wukong.predict.resolve", ModelFigure.RESOLVE_P50, ModelFigure.RESOLVE_P99),
  /** Waiting for a batch. */
  QUEUE("wukong.batching.queue", ModelFigure.QUEUE_P50, ModelFigure.QUEUE_P99),
  /** The batch itself: one measurement a batch, not a request. */
  RUN("wukong.batching.run", ModelFigure.RUN_P50, ModelFigure.RUN_P99),
  /** From the first to the last step, of requests that were answered. */
  TOTAL("wukong.predict.duration", ModelFigure.TOTAL_P50, ModelFigure.TOTAL_P99);

  private final String meter;
  private final ModelFigure half;
  private final ModelFigure tail;

  Stage(String meter, ModelFigure half, ModelFigure tail) {
    this.meter = meter;
    this.half = half;
    this.tail = tail;
  }

  /** The name of its timer. */
  String meter() {
    return meter;
  }

  /** Shows its median. */
  ModelFigure half() {
    return half;
  }

  /** Shows its 99th percentile. */
  ModelFigure tail() {
    return tail;
  }
}
