package dev.wukong.serving.sight;

import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Tells traces and the access log of requests. Any thread. */
public final class Sights {
  private final @Nullable Traces traces;
  private final @Nullable AccessLog access;
  private final Clock clock;

  /**
   * A teller.
   *
   * @param traces null: none are made
   * @param access null: nothing is logged
   */
  public Sights(@Nullable Traces traces, @Nullable AccessLog access, Clock clock) {
    this.traces = traces;
    this.access = access;
    this.clock = clock;
  }

  /** Tells nobody. */
  public static Sights none() {
    return new Sights(null, null, Clock.systemUTC());
  }

  /** A request that begins now, on the thread that its caller's trace is known to. */
  public Sight begin(Door door) {
    return new Sight(door, System.nanoTime(), traces == null ? null : traces.origin());
  }

  /** Tells of {@code sight}, which is answered or refused and does not change any more. */
  public void seen(Sight sight) {
    long leftOut = access == null ? RefusalRate.LEFT_OUT : access.wants(sight);
    if (traces == null && leftOut == RefusalRate.LEFT_OUT) {
      return;
    }
    Instant began = clock.instant().minus(System.nanoTime() - sight.began, ChronoUnit.NANOS);
    String trace = traces == null ? null : traces.export(sight, began);
    if (access != null && leftOut != RefusalRate.LEFT_OUT) {
      access.take(new AccessLine(sight, began, trace, leftOut));
    }
  }
}
