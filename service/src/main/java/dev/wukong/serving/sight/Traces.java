package dev.wukong.serving.sight;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes spans of requests that are over, from the times of their stages. A request that is not
 * sampled costs one question to the sampler. Any thread.
 */
public final class Traces {
  private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("rpc.system");
  private static final AttributeKey<String> SERVICE = AttributeKey.stringKey("rpc.service");
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("rpc.method");
  private static final AttributeKey<Long> STATUS = AttributeKey.longKey("rpc.grpc.status_code");
  private static final AttributeKey<String> MODEL = AttributeKey.stringKey("wukong.model");
  private static final AttributeKey<Long> VERSION = AttributeKey.longKey("wukong.version");
  private static final AttributeKey<Long> ROWS = AttributeKey.longKey("wukong.rows");
  private static final AttributeKey<Long> BATCH = AttributeKey.longKey("wukong.batch_rows");

  private final Tracer tracer;

  public Traces(Tracer tracer) {
    this.tracer = tracer;
  }

  /** What the span of a request that begins on this thread belongs under. */
  Context origin() {
    Context called = TraceOrigin.CALLED.get();
    return called != null ? called : Context.current();
  }

  /**
   * Hands the spans of {@code sight} to the exporter, if it is sampled.
   *
   * @return the trace's id; null where it is not sampled
   */
  @Nullable String export(Sight sight, Instant began) {
    Context origin = sight.origin == null ? Context.root() : sight.origin;
    boolean rpc = !sight.door.service().isEmpty();
    long start = TimeUnit.SECONDS.toNanos(began.getEpochSecond()) + began.getNano();
    Span span =
        tracer
            .spanBuilder(
                rpc ? sight.door.service() + "/" + sight.door.method() : sight.door.method())
            .setParent(origin)
            .setSpanKind(rpc ? SpanKind.SERVER : SpanKind.INTERNAL)
            .setStartTimestamp(start, TimeUnit.NANOSECONDS)
            .startSpan();
    if (!span.getSpanContext().isSampled()) {
      return null;
    }
    describe(sight, span, rpc);
    stages(sight, start, origin.with(span));
    span.end(start + sight.total, TimeUnit.NANOSECONDS);
    return span.getSpanContext().getTraceId();
  }

  private static void describe(Sight sight, Span span, boolean rpc) {
    if (rpc) {
      span.setAttribute(SYSTEM, "grpc");
      span.setAttribute(SERVICE, sight.door.service());
      span.setAttribute(METHOD, sight.door.method());
      span.setAttribute(STATUS, (long) sight.code.value());
    }
    if (sight.model != null) {
      span.setAttribute(MODEL, sight.model);
      span.setAttribute(VERSION, sight.version);
    }
    span.setAttribute(ROWS, (long) sight.rows);
    if (sight.batchRows > 0) {
      span.setAttribute(BATCH, (long) sight.batchRows);
    }
    if (!sight.reason.isEmpty()) {
      // The message names values of the caller, and traces go elsewhere.
      span.setStatus(StatusCode.ERROR, sight.reason);
    }
  }

  private void stages(Sight sight, long start, Context parent) {
    if (sight.decode == Sight.NEVER) {
      return;
    }
    long decoded = start + sight.decode;
    child("decode", start, decoded, parent);
    if (sight.resolve == Sight.NEVER) {
      return;
    }
    long resolved = decoded + sight.resolve;
    child("resolve", decoded, resolved, parent);
    if (sight.waited == Sight.NEVER) {
      return;
    }
    // Parts of one request wait and run side by side: its run ends with the last of them.
    long scored = resolved + sight.waited;
    long ran = Math.max(resolved, Math.min(resolved + sight.queue, scored - sight.run));
    child("queue", resolved, ran, parent);
    child("run", ran, Math.min(scored, ran + sight.run), parent);
    if (sight.reply != Sight.NEVER) {
      child("reply", scored, scored + sight.reply, parent);
    }
  }

  private void child(String name, long from, long to, Context parent) {
    tracer
        .spanBuilder(name)
        .setParent(parent)
        .setStartTimestamp(from, TimeUnit.NANOSECONDS)
        .startSpan()
        .end(to, TimeUnit.NANOSECONDS);
  }
}
