package dev.wukong.serving.embedding;

import java.util.Optional;

/** Rows that another process has brought in already. One thread. */
record RedisFilled(RedisLoads loads, RedisKeys keys, String digest) implements BulkRows {
  @Override
  public long after() {
    return Long.MAX_VALUE;
  }

  @Override
  public void add(int width, long[] added, int count, float[] rows) {}

  @Override
  public void finish() {
    RedisLoads.requireOwn(loads.imported(keys).equals(Optional.of(digest)));
  }

  @Override
  public void close() {}
}
