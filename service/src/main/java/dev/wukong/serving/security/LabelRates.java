package dev.wukong.serving.security;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * How many messages a second each caller may send on all of its streams together. Beyond that no
 * more are asked for until it is time: they wait with the caller, and nothing is lost. Who shows
 * neither a certificate nor a token is told apart by address. Any thread.
 */
public final class LabelRates {
  /** So much of what a caller did not use counts. */
  private static final long BURST = TimeUnit.SECONDS.toNanos(1);

  /** Beyond so many callers, those are forgotten that have nothing to wait for. */
  private static final int MOST = 10_000;

  /** Does something after a while. */
  @FunctionalInterface
  interface Later {
    void run(Runnable task, long nanos);
  }

  private final double perSecond;
  private final LongSupplier nanos;
  private final Later later;
  private final AtomicLong slowed = new AtomicLong();

  /** By caller: when what it has sent would have come at the rate. */
  private final Map<String, AtomicLong> due = new ConcurrentHashMap<>();

  /**
   * So many a second.
   *
   * @param perSecond 0: as many as come
   */
  public LabelRates(double perSecond) {
    this(
        perSecond,
        System::nanoTime,
        (task, nanos) ->
            CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS).execute(task));
  }

  LabelRates(double perSecond, LongSupplier nanos, Later later) {
    this.perSecond = perSecond;
    this.nanos = nanos;
    this.later = later;
  }

  /** How often messages were asked for later than they could have been. */
  public long slowed() {
    return slowed.get();
  }

  /** Has a call of {@code caller} keep to the rate. */
  <Q, R> ServerCall.Listener<Q> bound(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next, Caller caller) {
    if (perSecond == 0) {
      return next.startCall(call, headers);
    }
    String name = caller.known() ? caller.name() : address(call);
    ServerCall<Q, R> bound =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void request(int messages) {
            long wait = waits(name);
            if (wait <= 0) {
              super.request(messages);
            } else {
              slowed.incrementAndGet();
              later.run(() -> super.request(messages), wait);
            }
          }
        };
    return new SimpleForwardingServerCallListener<>(next.startCall(bound, headers)) {
      @Override
      public void onMessage(Q message) {
        sent(name);
        super.onMessage(message);
      }
    };
  }

  private void sent(String caller) {
    if (due.size() > MOST) {
      long now = nanos.getAsLong();
      due.values().removeIf(one -> now - one.get() > BURST);
    }
    long now = nanos.getAsLong();
    long each = (long) (TimeUnit.SECONDS.toNanos(1) / perSecond);
    due.computeIfAbsent(caller, _ -> new AtomicLong(now - BURST))
        .updateAndGet(until -> (until - now < -BURST ? now - BURST : until) + each);
  }

  private long waits(String caller) {
    AtomicLong until = due.get(caller);
    return until == null ? 0 : until.get() - nanos.getAsLong();
  }

  private static String address(ServerCall<?, ?> call) {
    SocketAddress remote = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    return remote instanceof InetSocketAddress socket && socket.getAddress() != null
        ? socket.getAddress().getHostAddress()
        : String.valueOf(remote);
  }
}
