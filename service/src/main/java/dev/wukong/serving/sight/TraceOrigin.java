package dev.wukong.serving.sight;

import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import org.jspecify.annotations.Nullable;

/** Reads from a call's metadata which trace it belongs to, as W3C's {@code traceparent} says. */
public final class TraceOrigin implements ServerInterceptor {
  /** The caller's span; null where the call names none. */
  static final io.grpc.Context.Key<Context> CALLED = io.grpc.Context.key("trace-origin");

  private static final Metadata.Key<String> PARENT = key("traceparent");
  private static final Metadata.Key<String> STATE = key("tracestate");

  private static final TextMapGetter<Metadata> HEADERS =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Metadata headers) {
          return headers.keys();
        }

        @Override
        public @Nullable String get(@Nullable Metadata headers, String name) {
          if (headers == null) {
            return null;
          }
          return switch (name) {
            case "traceparent" -> headers.get(PARENT);
            case "tracestate" -> headers.get(STATE);
            default -> null;
          };
        }
      };

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (!headers.containsKey(PARENT)) {
      return next.startCall(call, headers);
    }
    Context caller =
        W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, HEADERS);
    return Contexts.interceptCall(
        io.grpc.Context.current().withValue(CALLED, caller), call, headers, next);
  }
}
