package dev.wukong.serving.cluster;

/** What goes through the brokers. */
enum Topic {
  /** Predictions as they were scored, by their id. */
  FEATURES("features", true),

  /** What became of predictions, by their id. */
  LABELS("labels", true),

  /** Pieces of commits: rows that serve. */
  DELTAS("deltas", true),

  /** Pieces of commits: what training remembers. */
  STATES("states", true),

  /** Commits, in their order: what is said here happened. */
  COMMITS("commits", false);

  private final String label;
  private final boolean parted;

  Topic(String label, boolean parted) {
    this.label = label;
    this.parted = parted;
  }

  /** Its name in the brokers. */
  String in(KafkaSettings settings) {
    return settings.named(label);
  }

  /** How many partitions it is made with. */
  int partitions(KafkaSettings settings) {
    return parted ? settings.partitions() : 1;
  }
}
