package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class RedisReasonTest {
  private static final String WRONG = "WRONGPASS invalid username-password pair";

  private static Throwable unconnected(Throwable why) {
    return new CompletionException(new RedisConnectionException("Unable to connect to any", why));
  }

  private static Throwable hungUp() {
    return unconnected(new IllegalStateException("RedisHandshakeHandler not registered"));
  }

  private static RedisException ofAll(Throwable... nodes) {
    RedisException all = new RedisException("Cannot retrieve initial cluster partitions");
    for (Throwable node : nodes) {
      all.addSuppressed(node);
    }
    return all;
  }

  @Test
  void of_someNodesHungUpAndOneAnswered_isWhatThatSaid() {
    Throwable answered = unconnected(new RedisCommandExecutionException(WRONG));

    assertThat(RedisReason.of(ofAll(hungUp(), answered, hungUp()))).isEqualTo(WRONG);
    assertThat(RedisReason.isUnsaid(ofAll(hungUp(), answered))).isFalse();
  }

  @Test
  void isUnsaid_allHungUp_isTrueUntilSomebodySaysWhy() {
    assertThat(RedisReason.isUnsaid(ofAll(hungUp(), hungUp()))).isTrue();
    assertThat(RedisReason.isUnsaid(ofAll(unconnected(new IllegalStateException("refused")))))
        .isFalse();
  }

  @Test
  void of_nobodyAnswered_isTheFirstNodesOwnReasonWithoutWhoAsks() {
    Throwable first = unconnected(new IllegalStateException("refused:\n redis://me:secret@host:1"));

    assertThat(RedisReason.of(ofAll(first, hungUp()))).isEqualTo("refused: redis://host:1");
    assertThat(RedisReason.of(new RedisException((String) null))).isEqualTo("RedisException");
  }
}
