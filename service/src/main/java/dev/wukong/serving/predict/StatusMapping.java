package dev.wukong.serving.predict;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

/** The one place where failures become gRPC statuses. */
public final class StatusMapping {
  /** The trailer with the milliseconds after which a refused call is worth another try. */
  public static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  private StatusMapping() {}

  static StatusRuntimeException toStatus(ServingException failure) {
    Status status =
        switch (failure) {
          case ServingException.BadRequest _, ServingException.Unreadable _ ->
              Status.INVALID_ARGUMENT;
          case ServingException.Unknown _ -> Status.NOT_FOUND;
          case ServingException.SchemaMismatch _ -> Status.FAILED_PRECONDITION;
          case ServingException.Overloaded _ -> Status.RESOURCE_EXHAUSTED;
          case ServingException.DeadlinePassed _ -> Status.DEADLINE_EXCEEDED;
          case ServingException.NotReady _ -> Status.UNAVAILABLE;
          case ServingException.Cancelled _ -> Status.CANCELLED;
          case ServingException.NotFinite e ->
              e.byRequest() ? Status.INVALID_ARGUMENT : Status.INTERNAL;
          case ServingException.Defect _ -> Status.INTERNAL;
        };
    return status.withDescription(failure.getMessage()).asRuntimeException(trailers(failure));
  }

  /** How gRPC clients with a retry policy are told when to try again. */
  private static @Nullable Metadata trailers(ServingException failure) {
    if (!(failure instanceof ServingException.Overloaded overloaded)) {
      return null;
    }
    Metadata trailers = new Metadata();
    trailers.put(PUSHBACK, Long.toString(Math.max(1, overloaded.retryAfter().toMillis())));
    return trailers;
  }

  /** The tag of the failure in metrics. */
  static String reason(ServingException failure) {
    return switch (failure) {
      case ServingException.BadRequest _ -> "bad_request";
      case ServingException.Unreadable _ -> "unreadable";
      case ServingException.Unknown _ -> "unknown_model";
      case ServingException.SchemaMismatch _ -> "schema";
      case ServingException.Overloaded _ -> "overloaded";
      case ServingException.DeadlinePassed _ -> "deadline";
      case ServingException.NotReady _ -> "not_ready";
      case ServingException.Cancelled _ -> "cancelled";
      case ServingException.NotFinite _ -> "not_finite";
      case ServingException.Defect _ -> "defect";
    };
  }
}
