package dev.wukong.serving.predict;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import dev.wukong.proto.v1.PredictRequest;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads Predict requests into memory that is used again: a request's columns are read where they
 * lie, so a request costs no memory of its size. Any thread.
 */
final class InPlaceRequests implements Marshaller<Object> {
  /** Memory that is kept for later requests, at most. */
  private static final long KEPT_BYTES = 64 << 20;

  private static final int SMALLEST = 4096;

  private final Marshaller<?> other;
  private final ConcurrentLinkedDeque<byte[]> idle = new ConcurrentLinkedDeque<>();
  private final AtomicLong kept = new AtomicLong();

  /**
   * A reader with no memory yet.
   *
   * @param other reads what comes in unknown length, such as compressed
   */
  InPlaceRequests(Marshaller<?> other) {
    this.other = other;
  }

  /** A request and the memory in which its columns lie: of no use to others until it is closed. */
  final class Received implements AutoCloseable {
    private final PredictRequest request;
    private byte @Nullable [] memory;

    private Received(PredictRequest request, byte[] memory) {
      this.request = request;
      this.memory = memory;
    }

    PredictRequest request() {
      return request;
    }

    /** Gives the memory back; the request must not be read any more. */
    @Override
    public void close() {
      byte[] back = memory;
      memory = null;
      if (back != null) {
        put(back);
      }
    }
  }

  @Override
  public Object parse(InputStream stream) {
    if (!(stream instanceof KnownLength)) {
      return other.parse(stream);
    }
    byte[] memory = {};
    try {
      int size = stream.available();
      memory = take(size);
      if (stream.readNBytes(memory, 0, size) != size) {
        throw new IOException("a message is shorter than announced");
      }
      return new Received(read(UnsafeByteOperations.unsafeWrap(memory, 0, size)), memory);
    } catch (InvalidProtocolBufferException e) {
      put(memory);
      throw Status.INTERNAL
          .withDescription("Invalid protobuf byte sequence")
          .withCause(e)
          .asRuntimeException();
    } catch (IOException e) {
      put(memory);
      throw Status.INTERNAL.withDescription(e.getMessage()).withCause(e).asRuntimeException();
    }
  }

  private static PredictRequest read(ByteString bytes) throws IOException {
    CodedInputStream input = bytes.newCodedInput();
    // Fields of bytes are then parts of the memory.
    input.enableAliasing(true);
    PredictRequest request = PredictRequest.parser().parseFrom(input);
    input.checkLastTagWas(0);
    return request;
  }

  private byte[] take(int size) {
    byte[] memory = idle.poll();
    if (memory != null) {
      kept.addAndGet(-memory.length);
      if (memory.length >= size) {
        return memory;
      }
    }
    return new byte[Math.max(SMALLEST, Integer.highestOneBit(Math.max(1, size - 1)) * 2)];
  }

  private void put(byte[] memory) {
    if (memory.length > 0 && kept.addAndGet(memory.length) <= KEPT_BYTES) {
      idle.push(memory);
    } else {
      kept.addAndGet(-memory.length);
    }
  }

  @Override
  public InputStream stream(Object value) {
    throw new UnsupportedOperationException("a server does not write requests");
  }
}
