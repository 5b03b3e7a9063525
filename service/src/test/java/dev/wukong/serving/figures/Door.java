package dev.wukong.serving.figures;

import com.google.protobuf.MessageLite;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A method of a server and requests for it, written to bytes before: a caller costs the same
 * whatever the protocol. Safe for all threads.
 */
final class Door {
  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  private final MethodDescriptor<byte[], byte[]> method;
  private final List<byte[]> requests;

  /**
   * A door.
   *
   * @param method whose full name is called
   * @param requests taken in turn
   */
  Door(MethodDescriptor<?, ?> method, List<? extends MessageLite> requests) {
    this.method =
        MethodDescriptor.<byte[], byte[]>newBuilder(BYTES, BYTES)
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(method.getFullMethodName())
            .build();
    this.requests = requests.stream().map(MessageLite::toByteArray).toList();
  }

  /** How many distinct requests there are. */
  int distinct() {
    return requests.size();
  }

  /** Sends the request whose turn it is at {@code sequence}. */
  void call(Channel channel, long sequence, long deadlineMillis, StreamObserver<byte[]> answer) {
    CallOptions options =
        CallOptions.DEFAULT.withDeadlineAfter(deadlineMillis, TimeUnit.MILLISECONDS);
    byte[] request = requests.get((int) (sequence % requests.size()));
    ClientCalls.asyncUnaryCall(channel.newCall(method, options), request, answer);
  }
}
