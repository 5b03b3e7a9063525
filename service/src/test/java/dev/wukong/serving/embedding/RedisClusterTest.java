package dev.wukong.serving.embedding;

import dev.wukong.serving.testing.RedisCluster;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Tests that have a Redis cluster of their class, and rows of their own in it. */
abstract class RedisClusterTest {
  static RedisCluster cluster;

  @TempDir Path folder;

  @BeforeAll
  static void startCluster(@TempDir Path nodes) {
    cluster = RedisCluster.start(nodes, Duration.ofMillis(1500));
  }

  @AfterAll
  static void endCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  RedisRowStore open(Duration timeout) {
    return RedisRows.open(cluster, folder, timeout);
  }
}
