package dev.wukong.serving.figures;

import java.util.ArrayList;
import java.util.List;

/** What became of one client's calls. One thread. */
final class ClientTally {
  private static final int TOLD = 5;
  private static final int CHARACTERS = 700;

  private final String client;
  private final String version;
  private final List<String> failures = new ArrayList<>();
  private long calls;
  private long failed;
  private double difference;

  ClientTally(String client, String version) {
    this.client = client;
    this.version = version;
  }

  String client() {
    return client;
  }

  String version() {
    return version;
  }

  /** Calls that were meant to be made. */
  long calls() {
    return calls;
  }

  long failed() {
    return failed;
  }

  /** Largest difference of a probability to that of Predict; infinite where a count was wrong. */
  double difference() {
    return difference;
  }

  /** The first failures. */
  List<String> failures() {
    return List.copyOf(failures);
  }

  boolean works() {
    return calls > 0 && failed == 0;
  }

  /** Counts {@code made} calls of which {@code bad} failed. */
  void count(long made, long bad, String what) {
    calls += made;
    failed += bad;
    if (bad > 0 && failures.size() < TOLD) {
      failures.add(what.substring(0, Math.min(what.length(), CHARACTERS)));
    }
  }

  /** Counts a call, which fails unless {@code good}. */
  void check(boolean good, String what) {
    count(1, good ? 0 : 1, what);
  }

  /** Counts a call whose answer must be {@code expected} within {@code tolerance}. */
  void probabilities(String what, float[] answered, float[] expected, double tolerance) {
    double largest = answered.length == expected.length ? 0 : Double.POSITIVE_INFINITY;
    for (int i = 0; i < expected.length && i < answered.length; i++) {
      largest = Math.max(largest, Math.abs((double) answered[i] - expected[i]));
    }
    saw(largest);
    check(
        largest <= tolerance,
        "%s: %d probabilities, %d are expected; largest difference %.3g"
            .formatted(what, answered.length, expected.length, largest));
  }

  /** A difference that a client found itself. */
  void saw(double largest) {
    difference = Math.max(difference, largest);
  }
}
