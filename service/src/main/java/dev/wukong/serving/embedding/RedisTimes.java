package dev.wukong.serving.embedding;

import java.time.Duration;

/**
 * How long things of a Redis cluster last.
 *
 * @param patience with a master that has failed, while rows are loaded or dropped
 * @param held so long a bundle stays in use by a process that says nothing more
 * @param locked so long a bundle stays locked by a process that says nothing more
 * @param removed so long what a removed row was before can be read at an older version
 * @param replication so long is waited for replicas to have what was written; less than a write may
 *     take
 */
record RedisTimes(
    RedisPatience patience,
    Duration held,
    Duration locked,
    Duration removed,
    Duration replication) {
  private static final Duration REPLICATION = Duration.ofMillis(200);

  static RedisTimes ordinary() {
    return new RedisTimes(
        RedisPatience.ordinary(),
        Duration.ofMinutes(10),
        Duration.ofSeconds(30),
        Duration.ofDays(1),
        REPLICATION);
  }

  /** The same where replicas may be as late as that. */
  RedisTimes withReplication(Duration longer) {
    return new RedisTimes(patience, held, locked, removed, longer);
  }
}
