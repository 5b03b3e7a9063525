package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.runtime.Device;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.training.OnlineSession;
import dev.wukong.training.RowOrigin;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model as it serves that takes over what was committed from time to time: rows and dense weights
 * as of one commit, as a version that serves has them. It scores with a session of its own, which
 * never trains. One thread.
 */
final class ServedCopy implements AutoCloseable {
  /** Of one that stays as the bundle is. */
  static final Duration NEVER = Duration.ofDays(100_000);

  private static final float[] REMOVED = {};
  private static final float[] NO_STATE = {};

  private final Bundle bundle;
  private final long everyMs;
  private final OnlineSession session;

  /** Rows that training has changed, as this serves them. */
  private final Map<Long, float[]> rows = new HashMap<>();

  /** Rows that were committed since. */
  private final Map<Long, float[]> coming = new LinkedHashMap<>();

  private boolean behind;
  private long turn = Long.MIN_VALUE;

  /**
   * A copy of what {@code bundle} has, which stays open.
   *
   * @param every time between two moments at which it takes over the last commit
   */
  ServedCopy(Bundle bundle, Duration every) throws IOException {
    this.bundle = bundle;
    this.everyMs = every.toMillis();
    RowOrigin origin =
        new RowOrigin() {
          @Override
          public void load(int width, long[] keys, int[] times, boolean create, Receiver to) {
            float[] row = new float[width];
            for (int i = 0; i < keys.length; i++) {
              float[] learned = rows.get(keys[i]);
              if (learned != null && learned.length > 0) {
                to.row(i, learned, NO_STATE);
              } else if (learned == null
                  && bundle.findRow(table(keys[i]), RowKey.id(keys[i]), row)) {
                to.row(i, row, NO_STATE);
              }
            }
          }

          @Override
          public float[] defaultRow(int table) {
            return bundle.manifest().defaultRow(bundle.layout().tables().get(table));
          }
        };
    this.session =
        OnlineSession.of(
            bundle, new OnlineSession.Options(256, 1, new Device.Cpu(), Precision.FP32), origin);
  }

  private Table table(long key) {
    return bundle.layout().tables().get(RowKey.table(key));
  }

  /** Something was committed. */
  void committed(ModelCommit commit) {
    for (RowCommit.Changes changes : commit.rows()) {
      int width = changes.width();
      for (int i = 0; i < changes.keys().length; i++) {
        float[] row = new float[width];
        System.arraycopy(changes.rows(), i * width, row, 0, width);
        coming.put(changes.keys()[i], row);
      }
      for (long key : changes.removed()) {
        coming.put(key, REMOVED);
      }
    }
    behind = true;
  }

  /** Takes over the last commit, which {@code store} has, where it is time to. */
  void goOn(long nowMs, StateStore store, RowsView view) {
    long now = Math.floorDiv(nowMs, everyMs);
    boolean due = turn != Long.MIN_VALUE && now != turn;
    if (turn == Long.MIN_VALUE || due) {
      turn = now;
    }
    if (!due || !behind) {
      return;
    }
    rows.putAll(coming);
    coming.keySet().forEach(session::forgetRow);
    coming.clear();
    Map<String, float[]> dense = DenseState.read(store, view);
    if (!dense.isEmpty()) {
      session.restore(dense);
    }
    behind = false;
  }

  /** Probabilities [rows, tasks]. */
  float[] score(EncodedExamples examples) {
    return session.score(examples);
  }

  /** One for each of {@code every}. */
  static List<ServedCopy> of(Bundle bundle, List<Duration> every) throws IOException {
    List<ServedCopy> made = new ArrayList<>();
    for (Duration each : every) {
      made.add(new ServedCopy(bundle, each));
    }
    return List.copyOf(made);
  }

  @Override
  public void close() {
    session.close();
  }
}
