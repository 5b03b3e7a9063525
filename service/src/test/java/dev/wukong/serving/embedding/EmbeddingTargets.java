package dev.wukong.serving.embedding;

import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import java.util.Arrays;
import java.util.List;

/** What a store that others write to has. */
public final class EmbeddingTargets implements FuzzTargets {
  private static final int WIDTH = 2;

  @Override
  public List<FuzzTarget> targets() {
    return List.of(
        new FuzzTarget(
            "redis-row",
            StoreException.class,
            () -> {
              byte[] now = RedisValue.encode(7, WIDTH, new float[] {1, 2}, 0);
              byte[] both = Arrays.copyOf(now, 2 * now.length);
              byte[] before = RedisValue.encode(3, WIDTH, new float[] {3, 4}, 0);
              System.arraycopy(before, 0, both, now.length, before.length);
              return List.of(now, both, RedisValue.removed(9));
            },
            input -> {
              float[] to = {0, 0, 5};
              RowFate _ = RedisValue.decode(1, input, 5, WIDTH, to, 0);
              if (to[WIDTH] != 5) {
                throw new AssertionError("the next row was written to");
              }
            }));
  }
}
