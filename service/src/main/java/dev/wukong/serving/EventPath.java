package dev.wukong.serving;

import dev.wukong.serving.cluster.Cluster;
import dev.wukong.serving.events.EventSink;
import dev.wukong.serving.retraining.OwnTurn;
import dev.wukong.serving.retraining.Turn;
import dev.wukong.serving.retraining.Turns;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/** Where events go, and when this process learns from them. Any thread; closed with all of it. */
record EventPath(
    EventSink sink,
    Turns turns,
    Optional<Cluster> cluster,
    AtomicReference<LongSupplier> needed,
    Runnable end)
    implements AutoCloseable {
  /** Into the log of a process that is alone. */
  static EventPath alone(Events events, AtomicReference<LongSupplier> needed) {
    Turn only = new OwnTurn(events.writer());
    return new EventPath(events.writer(), () -> only, Optional.empty(), needed, events::close);
  }

  /** To all the others. */
  static EventPath with(Cluster cluster, AtomicReference<LongSupplier> needed) {
    return new EventPath(
        cluster.sink(), cluster.replica(), Optional.of(cluster), needed, cluster::close);
  }

  /** Says what must not be forgotten. */
  void neededFrom(LongSupplier position) {
    needed.set(position);
  }

  @Override
  public void close() {
    end.run();
  }
}
