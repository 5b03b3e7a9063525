package dev.wukong.serving.predict;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.predict.ServingException.Unreadable;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Refuses messages that are not what their method takes. Left alone, gRPC answers them like a
 * defect of the server, with a stack trace in the log for each. Any thread.
 */
public final class ReadableRequests {
  private static final String PREDICT = RankingServiceGrpc.getPredictMethod().getFullMethodName();

  /** Stands for a message that could not be read, until its call is closed. */
  private record Refused(StatusRuntimeException cause) {}

  private final PredictMeters meters;

  public ReadableRequests(MeterRegistry meters) {
    this.meters = new PredictMeters(meters);
  }

  /** The same service, which refuses what it cannot read. */
  public ServerServiceDefinition over(ServerServiceDefinition service) {
    ServiceDescriptor descriptor = service.getServiceDescriptor();
    ServiceDescriptor.Builder described =
        ServiceDescriptor.newBuilder(descriptor.getName())
            .setSchemaDescriptor(descriptor.getSchemaDescriptor());
    List<ServerMethodDefinition<?, ?>> methods = new ArrayList<>();
    for (ServerMethodDefinition<?, ?> method : service.getMethods()) {
      ServerMethodDefinition<?, ?> over = over(method);
      described.addMethod(over.getMethodDescriptor());
      methods.add(over);
    }
    ServerServiceDefinition.Builder built = ServerServiceDefinition.builder(described.build());
    methods.forEach(built::addMethod);
    return built.build();
  }

  private <Q, R> ServerMethodDefinition<Object, R> over(ServerMethodDefinition<Q, R> method) {
    MethodDescriptor<Q, R> descriptor = method.getMethodDescriptor();
    Marshaller<?> strict = descriptor.getRequestMarshaller();
    Marshaller<Object> marshaller =
        new Lenient(
            descriptor.getFullMethodName().equals(PREDICT) ? new InPlaceRequests(strict) : strict);
    return ServerMethodDefinition.create(
        descriptor.toBuilder(marshaller, descriptor.getResponseMarshaller()).build(),
        (call, headers) -> start(method.getServerCallHandler(), call, headers));
  }

  /** Reads messages, and hands on what it cannot read instead of failing. */
  private record Lenient(Marshaller<?> strict) implements Marshaller<Object> {
    @Override
    public Object parse(InputStream stream) {
      try {
        return strict.parse(stream);
      } catch (StatusRuntimeException e) {
        return new Refused(e);
      }
    }

    @Override
    public InputStream stream(Object value) {
      throw new UnsupportedOperationException("a server does not write requests");
    }
  }

  // A call's type of requests is that of what its listener is given, which the listener below
  // checks.
  @SuppressWarnings("unchecked")
  private <Q, R> Listener<Object> start(
      ServerCallHandler<Q, R> handler, ServerCall<Object, R> call, Metadata headers) {
    Listener<Object> listener =
        (Listener<Object>) handler.startCall((ServerCall<Q, R>) (ServerCall<?, R>) call, headers);
    return new SimpleForwardingServerCallListener<>(listener) {
      private boolean refused;
      private InPlaceRequests.@Nullable Received received;

      @Override
      public void onMessage(Object message) {
        switch (message) {
          case Refused(StatusRuntimeException cause) -> {
            refused = true;
            call.close(refuse(call.getMethodDescriptor(), cause), new Metadata());
          }
          case InPlaceRequests.Received inPlace when refused -> inPlace.close();
          case InPlaceRequests.Received inPlace -> {
            recycle();
            received = inPlace;
            super.onMessage(inPlace.request());
          }
          default -> {
            if (!refused) {
              super.onMessage(message);
            }
          }
        }
      }

      @Override
      public void onHalfClose() {
        try {
          if (!refused) {
            super.onHalfClose(); // The call is answered when this returns.
          }
        } finally {
          recycle();
        }
      }

      @Override
      public void onCancel() {
        recycle();
        super.onCancel();
      }

      @Override
      public void onComplete() {
        recycle();
        super.onComplete();
      }

      private void recycle() {
        if (received != null) {
          received.close();
          received = null;
        }
      }
    };
  }

  private Status refuse(MethodDescriptor<?, ?> method, StatusRuntimeException failure) {
    Status status = failure.getStatus(); // Such as that of a compressed message that is too large.
    if (failure.getCause() instanceof InvalidProtocolBufferException cause) {
      status =
          StatusMapping.toStatus(
                  new Unreadable(
                      "the message is not what %s takes: %s"
                          .formatted(method.getFullMethodName(), cause.getMessage())))
              .getStatus();
    }
    // The meter is of Predict requests, and this sees those of every service.
    if (method.getFullMethodName().equals(PREDICT)) {
      meters.refused(new Unreadable(String.valueOf(status.getDescription())));
    }
    return status;
  }
}
