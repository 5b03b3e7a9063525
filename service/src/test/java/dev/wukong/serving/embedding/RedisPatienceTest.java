package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RedisPatienceTest {
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5);
  private final RedisPatience patience =
      new RedisPatience(now::get, Duration.ofNanos(10), Duration.ofNanos(1));

  private static StoreException because(Throwable cause) {
    return new StoreException("writing failed", new ExecutionException(cause));
  }

  private static StoreException says(String answer) {
    return because(new RedisCommandExecutionException(answer));
  }

  @Test
  void outlast_nodeIsDownForAWhile_triesUntilItIsThere() {
    AtomicInteger tries = new AtomicInteger();
    String done =
        patience.outlast(
            () -> {
              if (tries.incrementAndGet() < 5) {
                now.addAndGet(2);
                throw because(new RedisConnectionException("refused"));
              }
              return "done";
            });
    assertThat(done).isEqualTo("done");
    assertThat(tries).hasValue(5);
  }

  @Test
  void outlast_nodeIsDownForTooLong_failsAsTheLastTry() {
    AtomicInteger tries = new AtomicInteger();
    assertThatThrownBy(
            () ->
                patience.outlast(
                    () -> {
                      now.addAndGet(4);
                      throw says("CLUSTERDOWN " + tries.incrementAndGet());
                    }))
        .isInstanceOf(StoreException.class)
        .hasRootCauseMessage("CLUSTERDOWN 4");
  }

  @Test
  void passes_refusalsAndWhatIsWrongHere_areFinal() {
    assertThat(RedisPatience.passes(says("OOM command not allowed"))).isFalse();
    assertThat(RedisPatience.passes(says("NOPERM this user has no permissions"))).isFalse();
    assertThat(RedisPatience.passes(because(new InterruptedException()))).isFalse();
    assertThat(RedisPatience.passes(new StoreException("the row store is closed", null))).isFalse();
    assertThat(RedisPatience.passes(says("READONLY You can't write"))).isTrue();
  }
}
