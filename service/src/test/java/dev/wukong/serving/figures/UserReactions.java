package dev.wukong.serving.figures;

import com.google.protobuf.ByteString;
import dev.wukong.client.FeedbackClient;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.Refusal;
import io.grpc.Channel;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Users who see the first candidates of answers and click some, by chance: each candidate seen
 * becomes one example. Who clicked every twentieth one of requests that come again and again would
 * teach a model which these are, and then others as soon as fewer or more are seen. What is
 * reported is spread over a thread of its own; answers may come on any.
 */
final class UserReactions implements AutoCloseable {
  private static final int ROOM = 4096;
  private static final long SEED = 7;

  /** However many of an answer are seen, one in so many is clicked. */
  static final int SEEN_BY_CLICK = 20;

  private final FeedbackClient feedback;
  private final BlockingQueue<ByteString> waiting = new ArrayBlockingQueue<>(ROOM);
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong unlogged = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();
  private final Thread thread;
  private volatile int seen;

  UserReactions(Channel channel) {
    this.feedback = FeedbackClient.over(channel, this::refused);
    this.thread = Thread.ofPlatform().daemon().name("users").start(this::work);
  }

  private void refused(Refusal refusal) {
    refused.incrementAndGet();
  }

  /** How many candidates of an answer are seen from now on; 0: nobody looks. */
  void see(int candidates) {
    seen = candidates;
  }

  /** An answer has come. */
  void answered(PredictResponse answer) {
    if (seen == 0) {
      return;
    }
    if (!answer.getLogged()) {
      unlogged.incrementAndGet();
    } else if (!waiting.offer(answer.getPredictionId())) {
      dropped.incrementAndGet();
    }
  }

  private void work() {
    try {
      SplittableRandom clicks = new SplittableRandom(SEED);
      while (true) {
        ByteString prediction = waiting.take();
        Instant now = Instant.now();
        int candidates = Math.max(1, seen);
        long _ = feedback.exposed(prediction, IntStream.range(0, candidates).toArray(), now);
        for (int i = 0; i < candidates; i++) {
          if (clicks.nextInt(SEEN_BY_CLICK) == 0) {
            long _ = feedback.labelled(prediction, i, "click", 1, now);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What did not become feedback, for people. */
  String losses() {
    return "%d refused, %d answers not logged, %d not reported"
        .formatted(refused.get(), unlogged.get(), dropped.get());
  }

  @Override
  public void close() {
    thread.interrupt();
    feedback.close();
  }
}
