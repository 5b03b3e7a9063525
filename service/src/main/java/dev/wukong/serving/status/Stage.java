package dev.wukong.serving.status;

/** The steps of a request whose time is measured, each by a timer with buckets. */
enum Stage {
  /** Checking the request and mapping values to ids. */
  DECODE("wukong.predict.decode"),
  /** Finding rows. */
  RESOLVE("wukong.predict.resolve"),
  /** Waiting for a batch. */
  QUEUE("wukong.batching.queue"),
  /** The batch itself: one measurement a batch, not a request. */
  RUN("wukong.batching.run"),
  /** From the first to the last step, of requests that were answered. */
  TOTAL("wukong.predict.duration");

  private final String meter;

  Stage(String meter) {
    this.meter = meter;
  }

  /** The name of its timer. */
  String meter() {
    return meter;
  }
}
