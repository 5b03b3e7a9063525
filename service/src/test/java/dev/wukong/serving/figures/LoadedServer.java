package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.serving.figures.OpenLoop.Call;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** One door of a server that runs, with what it takes of its core. One load at a time. */
final class LoadedServer implements AutoCloseable {
  private static final int CHANNELS = 4;

  private static final double SETTLE_SECONDS = 0.7;

  private final String title;
  private final List<ManagedChannel> channels;
  private final DoorLoad load;
  private final ProcessTree tree;

  /**
   * A door.
   *
   * @param channel makes a channel to the server
   * @param tree all of the server's processes
   */
  LoadedServer(String title, Supplier<ManagedChannel> channel, Door door, ProcessTree tree) {
    this.title = title;
    this.channels = Stream.generate(channel).limit(CHANNELS).toList();
    this.load = new DoorLoad(channels, door);
    this.tree = tree;
  }

  /**
   * What a server does when it is never without work.
   *
   * @param cpuMicros processor time a row
   */
  record Capacity(int inFlight, double rowsPerSecond, double cpuMicros) {
    /** The share of a core that it took, which is near 1 where nothing else is on that core. */
    double busy() {
      return rowsPerSecond * cpuMicros / 1e6;
    }

    double requestsPerSecond() {
      return rowsPerSecond / LoadRequests.CANDIDATES;
    }
  }

  ProcessTree tree() {
    return tree;
  }

  /**
   * Capacity with {@code inFlight} calls in flight.
   *
   * @throws BenchmarkException if calls fail, or none is answered
   */
  Capacity capacity(int inFlight, double seconds) throws Exception {
    var cpu =
        new Object() {
          Map<Long, Double> before = Map.of();
          double used;

          void read() throws IOException {
            used = tree.cpuSecondsSince(before);
            before = tree.cpuSeconds();
          }
        };
    DoorLoad.Closed closed = load.closed(inFlight, SETTLE_SECONDS, seconds, cpu::read);
    if (closed.failed() > 0 || closed.answered() == 0) {
      throw new BenchmarkException(
          "void: %s answered %d calls and failed %d, such as %s"
              .formatted(title, closed.answered(), closed.failed(), load.failure()));
    }
    double rows = (double) closed.answered() * LoadRequests.CANDIDATES;
    return new Capacity(inFlight, rows / closed.seconds(), cpu.used / rows * 1e6);
  }

  /** The largest capacity over {@code levels} of calls in flight. */
  Capacity best(int[] levels, double seconds) throws Exception {
    Capacity best = new Capacity(0, 0, 0);
    for (int level : levels) {
      Capacity capacity = capacity(level, seconds);
      best = capacity.rowsPerSecond > best.rowsPerSecond ? capacity : best;
    }
    return best;
  }

  /**
   * Nanoseconds of each of {@code rate} calls a second, ascending.
   *
   * @throws BenchmarkException if calls fail, or too few were sent in time
   */
  long[] latencies(double rate, double seconds) throws Exception {
    List<Call> calls = load.open(rate, seconds);
    CallFigures.requireSent(calls, calls.size());
    long[] answered = CallFigures.answered(calls);
    if (answered.length < calls.size()) {
      throw new BenchmarkException(
          "void: of %d calls of %s %d failed, such as %s"
              .formatted(calls.size(), title, calls.size() - answered.length, load.failure()));
    }
    return answered;
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
  }
}
