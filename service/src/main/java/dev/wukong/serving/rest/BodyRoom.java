package dev.wukong.serving.rest;

import dev.wukong.data.DataException;
import dev.wukong.serving.predict.StatusMapping;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/**
 * Room for the bodies of all requests that are not answered yet, by their bytes: values take many
 * times the memory of their text, so large bodies must be few. Any thread.
 */
final class BodyRoom {
  /** The most bytes of one body. */
  static final int MOST = 8 << 20;

  /** What is taken at a time: hundreds of ordinary bodies have room. */
  private static final int PIECE = 64 << 10;

  /** The most bytes of all. */
  static final int ALL = 4 * MOST;

  private static final String RETRY_MILLIS = "100";

  /** How long a body may take to come: it holds its room meanwhile. */
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private final Semaphore free = new Semaphore(ALL / PIECE);

  /** A body that has not been read yet. */
  Body body() {
    return new Body();
  }

  /** The room of one body, taken as it is read and given back when it is closed. One thread. */
  final class Body implements AutoCloseable {
    private int taken;

    private Body() {}

    /**
     * All of the body.
     *
     * @throws DataException if it is too large
     * @throws StatusRuntimeException if there is no room now
     */
    byte[] read(InputStream from) throws IOException {
      long began = System.nanoTime();
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      byte[] piece = new byte[PIECE];
      take();
      for (int read = from.read(piece); read >= 0; read = from.read(piece)) {
        body.write(piece, 0, read);
        while (body.size() > (long) taken * PIECE) {
          take();
        }
        if (body.size() > MOST) {
          throw new DataException(
              "the body has more than %d bytes; gRPC is for large requests".formatted(MOST));
        }
        if (System.nanoTime() - began > LONGEST.toNanos()) {
          throw new DataException(
              "the body has not come within %d s".formatted(LONGEST.toSeconds()));
        }
      }
      return body.toByteArray();
    }

    private void take() {
      if (!free.tryAcquire()) {
        Metadata trailers = new Metadata();
        trailers.put(StatusMapping.PUSHBACK, RETRY_MILLIS);
        throw Status.RESOURCE_EXHAUSTED
            .withDescription(
                "bodies of %d bytes are in work already, that is the limit; try later"
                    .formatted(ALL))
            .asRuntimeException(trailers);
      }
      taken++;
    }

    @Override
    public void close() {
      free.release(taken);
      taken = 0;
    }
  }
}
