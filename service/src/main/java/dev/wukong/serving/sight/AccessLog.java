package dev.wukong.serving.sight;

import dev.wukong.data.Hash;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Writes lines of some requests on a thread of its own: of answers a sample, of refusals a few a
 * second. Nobody waits for it: what its queue has no room for is lost and counted. Any thread.
 */
public final class AccessLog implements AutoCloseable {
  private static final int QUEUE = 1024;
  private static final long CLOSE_SECONDS = 2;

  /** Has no line itself and comes after all that do. */
  private static final AccessLine LAST =
      new AccessLine(new Sight(Door.GRPC, 0, null), Instant.EPOCH, null, RefusalRate.LEFT_OUT);

  private final double sample;
  private final RefusalRate refusals;
  private final Consumer<String> lines;
  private final BlockingQueue<AccessLine> queue = new ArrayBlockingQueue<>(QUEUE);
  private final Counter written;
  private final Counter leftOut;
  private final Counter lost;
  private final Thread writer;
  private volatile boolean closed;

  /**
   * A log whose thread runs.
   *
   * @param sample share of answers that get a line, 0 to 1
   * @param refusalsPerSecond refusals that get a line, at most
   * @param lines takes each line, without its end, on the log's own thread
   */
  public AccessLog(
      double sample, int refusalsPerSecond, Consumer<String> lines, MeterRegistry meters) {
    this.sample = sample;
    this.refusals = new RefusalRate(refusalsPerSecond);
    this.lines = lines;
    written = counter("written", meters);
    leftOut = counter("left_out", meters);
    lost = counter("lost", meters);
    writer = Thread.ofPlatform().daemon().name("access-log").start(this::write);
  }

  private static Counter counter(String outcome, MeterRegistry meters) {
    return Counter.builder("wukong.access.lines")
        .description(
            "Lines of the access log: written; of refusals beyond the rate; lost as nobody took"
                + " them fast enough")
        .tag("outcome", outcome)
        .register(meters);
  }

  /**
   * Whether {@code sight} gets a line.
   *
   * @return {@link RefusalRate#LEFT_OUT} where it does not; else how many refusals were left out
   *     before it
   */
  long wants(Sight sight) {
    if (sight.reason.isEmpty()) {
      return sampled(sight) ? 0 : RefusalRate.LEFT_OUT;
    }
    long before = refusals.take(sight.began + sight.total);
    if (before == RefusalRate.LEFT_OUT) {
      leftOut.increment();
    }
    return before;
  }

  /** By its prediction's id, so that whoever has the id can tell. */
  private boolean sampled(Sight sight) {
    int size = sight.predictionId.size();
    long lot = 0;
    for (int i = Math.max(0, size - Long.BYTES); i < size; i++) {
      lot = lot << Byte.SIZE | (sight.predictionId.byteAt(i) & 0xFF);
    }
    return Hash.fraction(lot) < sample;
  }

  /** Queues {@code line}, which the log wants. */
  void take(AccessLine line) {
    if (closed || !queue.offer(line)) {
      lost.increment();
    }
  }

  private void write() {
    try {
      for (AccessLine line = queue.take();
          line.leftOut() != RefusalRate.LEFT_OUT;
          line = queue.take()) {
        write(line);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(AccessLine line) {
    try {
      lines.accept(line.json());
      written.increment();
    } catch (RuntimeException | Error e) {
      // Where lines go cannot take this one; the next may fare better, and requests are answered.
      // Also after errors: the thread is the only one that writes.
      lost.increment();
    }
  }

  /** Writes what is queued, for at most two seconds. */
  @Override
  public void close() {
    closed = true;
    try {
      if (queue.offer(LAST, CLOSE_SECONDS, TimeUnit.SECONDS)) {
        writer.join(TimeUnit.SECONDS.toMillis(CLOSE_SECONDS));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    writer.interrupt();
  }
}
