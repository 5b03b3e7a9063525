package dev.wukong.serving.security;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Lets calls of gRPC through whose callers have the role for them, and has those audited. */
public final class CallGuard implements ServerInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final RoleBook book;
  private final Audit audit;
  private final LabelRates rates;

  /**
   * By the roles of {@code book}; calls of operators are told to {@code audit}, those who report
   * keep to {@code rates}.
   */
  public CallGuard(RoleBook book, Audit audit, LabelRates rates) {
    this.book = book;
    this.audit = audit;
    this.rates = rates;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    @Nullable Access needed = CallAccess.ofMethod(call.getMethodDescriptor());
    Decision decision =
        Decision.of(
            book, ConnectedCaller.of(call.getAttributes()), headers.get(AUTHORIZATION), needed);
    return switch (decision) {
      case Decision.Allowed(var caller) when needed == Access.ADMIN ->
          audited(call, headers, next, caller);
      case Decision.Allowed(var caller) when needed == Access.LABEL ->
          rates.bound(
              call,
              headers,
              (of, with) ->
                  Contexts.interceptCall(
                      Context.current().withValue(Caller.CURRENT, caller), of, with, next),
              caller);
      case Decision.Allowed _ -> next.startCall(call, headers);
      case Decision.Unknown(var caller, var message) ->
          refuse(call, needed, caller, Status.UNAUTHENTICATED.withDescription(message));
      case Decision.Forbidden(var caller, var message) ->
          refuse(call, needed, caller, Status.PERMISSION_DENIED.withDescription(message));
    };
  }

  private <Q, R> ServerCall.Listener<Q> refuse(
      ServerCall<Q, R> call, @Nullable Access needed, Caller caller, Status status) {
    if (needed == Access.ADMIN) {
      audit.called(name(call), "", caller, address(call), status.getCode().toString());
    }
    call.close(status, new Metadata());
    return new ServerCall.Listener<>() {};
  }

  private <Q, R> ServerCall.Listener<Q> audited(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next, Caller caller) {
    AtomicReference<@Nullable Object> asked = new AtomicReference<>();
    AtomicBoolean ended = new AtomicBoolean();
    ServerCall<Q, R> told =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            end(call, asked.get(), caller, status.getCode(), ended);
            super.close(status, trailers);
          }
        };
    return new SimpleForwardingServerCallListener<>(next.startCall(told, headers)) {
      @Override
      public void onMessage(Q message) {
        asked.set(message);
        super.onMessage(message);
      }

      @Override
      public void onCancel() {
        // What was asked for may be done all the same.
        end(call, asked.get(), caller, Status.Code.CANCELLED, ended);
        super.onCancel();
      }
    };
  }

  private void end(
      ServerCall<?, ?> call,
      @Nullable Object asked,
      Caller caller,
      Status.Code outcome,
      AtomicBoolean ended) {
    if (!ended.getAndSet(true)) {
      audit.called(name(call), asked, caller, address(call), outcome.toString());
    }
  }

  private static String name(ServerCall<?, ?> call) {
    return call.getMethodDescriptor().getFullMethodName();
  }

  private static String address(ServerCall<?, ?> call) {
    return String.valueOf(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
  }
}
