package dev.wukong.serving.status;

/** What is counted of a model since the start; each a counter, some told apart by a tag. */
enum Counted {
  /** Candidates of requests that were answered. */
  CANDIDATES("wukong.predict.candidates", "", ""),
  /** Positions of ids whose value has no row of its own. */
  DEFAULTED("wukong.predict.ids", "kind", "defaulted"),
  /** Values that were left out. */
  MISSING("wukong.predict.ids", "kind", "missing"),
  /** Values beyond a feature's positions. */
  TRUNCATED("wukong.predict.ids", "kind", "truncated"),
  /** Candidates whose deadline passed while they waited for a batch. */
  DROPPED("wukong.batching.candidates", "outcome", "dropped"),
  /** Distinct rows that were found in memory. */
  FROM_MEMORY("wukong.embedding.rows", "from", "memory"),
  /** Distinct rows that were read from the store. */
  FROM_STORE("wukong.embedding.rows", "from", "store"),
  /** Distinct keys that have no row. */
  FROM_NOWHERE("wukong.embedding.rows", "from", "none"),
  /** Distinct rows that could not be read in time. */
  UNREAD("wukong.embedding.rows", "from", "unread");

  private final String meter;
  private final String tag;
  private final String value;

  Counted(String meter, String tag, String value) {
    this.meter = meter;
    this.tag = tag;
    this.value = value;
  }

  /** The name of its counter. */
  String meter() {
    return meter;
  }

  /** The tag that tells it from others of that name; empty where there are none. */
  String tag() {
    return tag;
  }

  /** What that tag says. */
  String value() {
    return value;
  }
}
