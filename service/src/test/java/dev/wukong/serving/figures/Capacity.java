package dev.wukong.serving.figures;

import dev.wukong.proto.v1.PredictRequest;
import io.grpc.ManagedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a few callers get who wait for their answers.
 *
 * @param perSecond requests answered a second
 * @param failed requests that were not, such as those refused
 */
record Capacity(double perSecond, long failed) {
  /** Measures it for {@code seconds} with {@code inFlight} callers. */
  static Capacity of(
      ManagedChannel channel, List<PredictRequest> requests, int inFlight, double seconds)
      throws InterruptedException {
    ClosedLoop loop = ClosedLoop.start(channel, requests, inFlight);
    TimeUnit.MILLISECONDS.sleep(500);
    long before = loop.answered();
    long start = System.nanoTime();
    TimeUnit.MILLISECONDS.sleep((long) (seconds * 1000));
    double rate = (loop.answered() - before) / ((System.nanoTime() - start) / 1e9);
    loop.stop();
    return new Capacity(rate, loop.failed());
  }
}
