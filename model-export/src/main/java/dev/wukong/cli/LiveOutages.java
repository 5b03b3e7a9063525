package dev.wukong.cli;

import io.grpc.StatusRuntimeException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * Requests that nobody answered. A cluster may have some while a replica ends and another takes
 * over, so they are told of, and borne for a while. One thread.
 */
final class LiveOutages {
  private final Duration patience;
  private final PrintWriter out;
  private long answeredNanos;
  private long failed;
  private long told;
  private String last = "";

  /**
   * None yet.
   *
   * @param patience how long there may be no answer at all; zero: every failure is the last
   * @param nowNanos a {@link System#nanoTime}
   */
  LiveOutages(Duration patience, PrintWriter out, long nowNanos) {
    this.patience = patience;
    this.out = out;
    this.answeredNanos = nowNanos;
  }

  /** An answer came. */
  void answered(long nowNanos) {
    answeredNanos = nowNanos;
  }

  /**
   * None came.
   *
   * @throws StatusRuntimeException the same, where it has been so for too long
   */
  void failed(StatusRuntimeException e, long nowNanos) {
    if (nowNanos - answeredNanos >= patience.toNanos()) {
      throw e;
    }
    failed++;
    last = String.valueOf(e.getMessage());
  }

  /** Says how many there were, if there were more since. */
  void tell() {
    if (failed > told) {
      told = failed;
      out.printf(Locale.ROOT, "   %,d requests failed; the last: %s%n", failed, last);
      out.flush();
    }
  }
}
