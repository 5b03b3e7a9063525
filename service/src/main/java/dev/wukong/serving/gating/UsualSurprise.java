package dev.wukong.serving.gating;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** How labels that were usual have surprised the healthy state, by task. One thread. */
final class UsualSurprise {
  private final double[] of;
  private final double[] error;

  /** Nothing is known. */
  UsualSurprise(int tasks) {
    this.of = new double[tasks];
    this.error = new double[tasks];
    forget();
  }

  void forget() {
    Arrays.fill(of, Double.NaN);
  }

  int tasks() {
    return of.length;
  }

  boolean knows(int task) {
    return !Double.isNaN(of[task]);
  }

  double of(int task) {
    return of[task];
  }

  /** Its standard error. */
  double error(int task) {
    return error[task];
  }

  /** It is what these were to a scorer. */
  void become(int task, Tally in, Scorer scorer) {
    of[task] = in.surprise(scorer);
    error[task] = in.surpriseError(scorer);
  }

  int bytes() {
    return Integer.BYTES + 2 * of.length * Double.BYTES;
  }

  void write(ByteBuffer to) {
    to.putInt(of.length);
    for (int task = 0; task < of.length; task++) {
      to.putDouble(of[task]).putDouble(error[task]);
    }
  }

  /** Reads what was written; nothing where tasks were others. */
  void read(ByteBuffer from) {
    int tasks = from.getInt();
    for (int task = 0; task < tasks; task++) {
      double value = from.getDouble();
      double ofError = from.getDouble();
      if (tasks == of.length) {
        of[task] = value;
        error[task] = ofError;
      }
    }
  }
}
