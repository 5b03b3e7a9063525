package dev.wukong.serving.predict;

import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.batching.FloatBytes;
import dev.wukong.serving.embedding.DefaultedPositions;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.QuietThread;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.inputs.ModelInputs;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Scores copies of answered requests by the versions that operators want to compare, and compares.
 * Off the caller's path: one thread of the lowest priority does it, without the batch threads;
 * where it does not keep up, copies are dropped and counted. (Where a run has several threads, its
 * helpers have an ordinary priority.)
 */
final class ShadowScoring implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ShadowScoring.class);

  /** Copies that wait. */
  private static final int MOST = 64;

  /** How long closing waits for the copy under way. */
  private static final Duration CLOSE = Duration.ofSeconds(2);

  /** So long a copy waits for rows; nobody waits for it. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** Bytes of all copies that wait. */
  private static final long MOST_BYTES = 32 << 20;

  /**
   * An answered request.
   *
   * @param label whose version is to score it
   * @param request its bytes
   * @param tasks of the version that answered
   * @param probabilities that were answered, float32 little-endian [candidates, tasks]
   */
  @SuppressWarnings("ArrayRecordComponent") // Handed from one thread to another, never compared.
  private record Copy(
      ServedModel served, String label, byte[] request, List<String> tasks, byte[] probabilities) {
    long bytes() {
      return (long) request.length + probabilities.length;
    }
  }

  private final RequestDecoder decoder;
  private final ShadowMeters meters;
  private final BlockingQueue<Copy> waiting = new ArrayBlockingQueue<>(MOST);
  private final AtomicLong bytes = new AtomicLong();
  private final RequestRoom room = new RequestRoom();

  /** Guarded by this. */
  private @Nullable Thread thread;

  /** Guarded by this. */
  private boolean closed;

  ShadowScoring(RequestDecoder decoder, MeterRegistry registry) {
    this.decoder = decoder;
    this.meters = new ShadowMeters(registry);
  }

  /**
   * Takes copies of an answered request that asked for no version, for the labels that get one. Any
   * thread; does not wait.
   *
   * @param point of the request, in [0, 1)
   * @param by the version that answered
   * @param probabilities of the answer, which nobody changes any more
   */
  void offer(
      ServedModel served,
      double point,
      PredictRequest request,
      HostedModel by,
      byte[] probabilities) {
    byte @Nullable [] written = null;
    for (String label : served.copies(point)) {
      long size = (long) request.getSerializedSize() + probabilities.length;
      boolean taken = false;
      // Before it is written: a copy that nobody has room for costs nothing.
      if (bytes.addAndGet(size) <= MOST_BYTES && waiting.remainingCapacity() > 0) {
        written = written == null ? request.toByteArray() : written;
        taken = waiting.offer(new Copy(served, label, written, by.taskNames(), probabilities));
      }
      if (taken) {
        start();
      } else {
        bytes.addAndGet(-size);
        meters.of(served, label).dropped().increment();
      }
    }
  }

  private synchronized void start() {
    if (thread == null && !closed) {
      thread = Thread.ofPlatform().name("shadow").daemon().start(this::work);
    }
  }

  private void work() {
    try {
      QuietThread.begin();
      while (true) {
        Copy copy = waiting.take();
        bytes.addAndGet(-copy.bytes());
        try {
          score(copy);
        } catch (RuntimeException | Error e) {
          // Also errors: a copy that found too little memory says nothing of the next one.
          log.error("model '{}', label '{}': a copy failed", copy.served.name(), copy.label, e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // Closed: what waits is of no use to anybody.
    } finally {
      synchronized (this) {
        thread = null;
      }
    }
  }

  private void score(Copy copy) {
    ShadowMeters.Compared compared = meters.of(copy.served, copy.label);
    HostedModel model = copy.served.leaseLabel(copy.label);
    if (model == null) {
      compared.dropped().increment(); // Its label has been moved since.
      return;
    }
    try {
      PredictRequest request = PredictRequest.parseFrom(copy.request);
      long began = System.nanoTime();
      Scores scores = scores(request, model);
      compared.time().record(System.nanoTime() - began, TimeUnit.NANOSECONDS);
      if (scores.finite()) {
        if (copy.tasks.equals(model.taskNames())) { // Else there is nothing to compare.
          compare(copy.probabilities, scores.probabilities, compared);
        }
        compared.scored().increment();
      } else {
        compared.failed().increment();
      }
    } catch (ServingException | IOException e) {
      // Such as one of another schema than the version that answered.
      compared.refused().increment();
      log.debug("model '{}', label '{}': a copy is refused", copy.served.name(), copy.label, e);
    } catch (RuntimeException e) {
      compared.failed().increment();
      log.warn("model '{}', label '{}': a copy failed", copy.served.name(), copy.label, e);
    } finally {
      model.release();
    }
  }

  /** What the version gives for the request's candidates, [candidates, tasks] each. */
  @SuppressWarnings("ArrayRecordComponent") // Read by the one thread that made it.
  private record Scores(byte[] probabilities, byte[] logits) {
    boolean finite() {
      int count = probabilities.length / Float.BYTES;
      return FloatBytes.notFinite(probabilities, 0, count) < 0
          && FloatBytes.notFinite(logits, 0, count) < 0;
    }
  }

  private Scores scores(PredictRequest request, HostedModel model) {
    Query query = decoder.decode(request, model, room);
    DefaultedPositions defaulted = new DefaultedPositions(model.layout());
    long until = System.nanoTime() + PATIENCE.toNanos();
    List<ModelInputs> parts =
        RequestParts.of(query, model, model.cost().preferredRows(), until, defaulted);
    try {
      defaulted.requireRead(); // A difference that a slow store makes says nothing of the model.
      int stride = model.taskNames().size() * Float.BYTES;
      byte[] probabilities = new byte[query.candidates().rows() * stride];
      byte[] logits = new byte[probabilities.length];
      int at = 0;
      for (ModelInputs part : parts) {
        int from = at;
        int length = part.candidates() * stride;
        model.run(
            List.of(part),
            scores -> {
              scores.probabilities().get(0, probabilities, from, length);
              scores.logits().get(0, logits, from, length);
            });
        at += length;
      }
      return new Scores(probabilities, logits);
    } finally {
      parts.forEach(ModelInputs::recycle);
    }
  }

  private static void compare(byte[] given, byte[] shadow, ShadowMeters.Compared compared) {
    ByteBuffer left = ByteBuffer.wrap(given).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer right = ByteBuffer.wrap(shadow).order(ByteOrder.LITTLE_ENDIAN);
    double apart = 0;
    double sumLeft = 0;
    double sumRight = 0;
    int count = given.length / Float.BYTES;
    for (int i = 0; i < count; i++) {
      float a = left.getFloat();
      float b = right.getFloat();
      apart += Math.abs(a - b);
      sumLeft += a;
      sumRight += b;
    }
    compared.difference().record(apart / count);
    compared.given().record(sumLeft / count);
    compared.shadow().record(sumRight / count);
  }

  /** Ends the thread after the copy it is at; the others are dropped. */
  @Override
  public void close() {
    Thread running;
    synchronized (this) {
      closed = true;
      running = thread;
    }
    if (running == null) {
      return;
    }
    running.interrupt();
    try {
      running.join(CLOSE); // It holds a lease of what it uses.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
