package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.serving.figures.OpenLoop.Call;
import dev.wukong.serving.figures.OpenLoop.End;
import java.util.List;

/** What is said of the calls of an open loop. Stateless. */
final class CallFigures {
  /** Below this share of the load that was planned nothing is said. */
  private static final double PLANNED = 0.8;

  private static final long IN_TIME_NANOS = 100_000_000;

  private CallFigures() {}

  static long count(List<Call> calls, End end) {
    return calls.stream().filter(c -> c.end() == end).count();
  }

  /** Milliseconds of the calls that were answered; NaN where none was. */
  static double quantile(List<Call> calls, double q) {
    return quantile(answered(calls), q);
  }

  /** Nanoseconds of the calls that were answered, ascending. */
  static long[] answered(List<Call> calls) {
    return calls.stream()
        .filter(c -> c.end() == End.ANSWERED)
        .mapToLong(Call::nanos)
        .sorted()
        .toArray();
  }

  /**
   * Milliseconds of the {@code q} quantile of ascending {@code nanos}; NaN where there are none.
   */
  static double quantile(long[] nanos, double q) {
    return nanos.length == 0
        ? Double.NaN
        : nanos[(int) Math.min(nanos.length - 1, q * nanos.length)] / 1e6;
  }

  /**
   * Fails unless enough of {@code planned} calls were sent in time.
   *
   * @throws BenchmarkException says that the run is void
   */
  static void requireSent(List<Call> calls, double planned) throws BenchmarkException {
    long sentInTime = calls.stream().filter(c -> c.sentLate() < IN_TIME_NANOS).count();
    if (sentInTime < PLANNED * planned) {
      throw new BenchmarkException(
          "void: %d of %.0f calls were sent in time".formatted(sentInTime, planned));
    }
  }
}
