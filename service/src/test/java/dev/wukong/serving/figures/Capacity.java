package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.proto.v1.PredictRequest;
import io.grpc.ManagedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What a few callers get who wait for their answers. Stateless. */
final class Capacity {
  private Capacity() {}

  /**
   * Requests answered a second, measured for {@code seconds} with {@code inFlight} callers.
   *
   * @throws BenchmarkException where one was refused or failed: that would make it too small
   */
  static double of(
      ManagedChannel channel, List<PredictRequest> requests, int inFlight, double seconds)
      throws InterruptedException, BenchmarkException {
    ClosedLoop loop = ClosedLoop.start(channel, requests, inFlight);
    TimeUnit.MILLISECONDS.sleep(500);
    long before = loop.answered();
    long start = System.nanoTime();
    TimeUnit.MILLISECONDS.sleep((long) (seconds * 1000));
    double rate = (loop.answered() - before) / ((System.nanoTime() - start) / 1e9);
    loop.stop();
    if (loop.failed() > 0) {
      throw new BenchmarkException(
          "void: %d calls failed while the capacity was measured, such as %s"
              .formatted(loop.failed(), loop.lastFailure()));
    }
    return rate;
  }
}
