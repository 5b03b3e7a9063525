package dev.wukong.serving.security;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.proto.v1.FeedbackServiceGrpc;
import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LabelRatesTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** What is to be done, and when. */
  private record Waiting(Runnable task, long at) {}

  private final AtomicLong now = new AtomicLong(-5 * SECOND);
  private final List<Waiting> waiting = new ArrayList<>();
  private final LabelRates rates =
      new LabelRates(
          10, now::get, (task, nanos) -> waiting.add(new Waiting(task, now.get() + nanos)));

  /** A stream of one caller, and how many messages it was asked for. */
  private static final class Stream {
    private final AtomicLong asked = new AtomicLong();
    private final ServerCall<Object, Object> bound;
    private final ServerCall.Listener<Object> listener;

    Stream(LabelRates by, Caller caller, String address) throws Exception {
      Attributes from =
          Attributes.newBuilder()
              .set(
                  Grpc.TRANSPORT_ATTR_REMOTE_ADDR,
                  new InetSocketAddress(InetAddress.getByName(address), 5000))
              .build();
      List<ServerCall<Object, Object>> calls = new ArrayList<>();
      ServerCall<Object, Object> own =
          new ServerCall<>() {
            @Override
            public void request(int messages) {
              asked.addAndGet(messages);
            }

            @Override
            public void sendHeaders(Metadata headers) {}

            @Override
            public void sendMessage(Object message) {}

            @Override
            public void close(Status status, Metadata trailers) {}

            @Override
            public boolean isCancelled() {
              return false;
            }

            @Override
            public Attributes getAttributes() {
              return from;
            }

            @Override
            @SuppressWarnings("unchecked")
            public MethodDescriptor<Object, Object> getMethodDescriptor() {
              return (MethodDescriptor<Object, Object>)
                  (MethodDescriptor<?, ?>) FeedbackServiceGrpc.getReportMethod();
            }
          };
      listener =
          by.bound(
              own,
              new Metadata(),
              (call, _) -> {
                calls.add(call);
                return new ServerCall.Listener<>() {};
              },
              caller);
      bound = calls.getFirst();
    }

    void send(int messages) {
      for (int i = 0; i < messages; i++) {
        listener.onMessage("event");
      }
    }
  }

  private Stream stream(String name) throws Exception {
    return new Stream(rates, new Caller(name, Set.of()), "192.0.2.1");
  }

  private void pass(long nanos) {
    now.addAndGet(nanos);
    List<Waiting> come = waiting.stream().filter(one -> one.at() <= now.get()).toList();
    waiting.removeAll(come);
    come.forEach(one -> one.task().run());
  }

  @Test
  void request_withinTheRate_isPassedOn() throws Exception {
    Stream one = stream("token:a");
    for (int second = 0; second < 20; second++) {
      one.bound.request(10);
      one.send(10);
      pass(SECOND);
    }
    assertThat(one.asked).hasValue(200);
    assertThat(rates.slowed()).isZero();
  }

  @Test
  void request_tooMany_waitsUntilItIsTime() throws Exception {
    Stream one = stream("token:a");
    one.bound.request(50);
    one.send(50); // A second's worth was free: these are four seconds ahead.
    one.bound.request(7);
    assertThat(one.asked).hasValue(50);
    assertThat(rates.slowed()).isEqualTo(1);
    pass(4 * SECOND - 1);
    assertThat(one.asked).hasValue(50);
    pass(1);
    assertThat(one.asked).hasValue(57);
  }

  @Test
  void request_anotherStreamOrConnection_isTheSameCaller() throws Exception {
    Stream one = stream("token:a");
    one.send(50);
    Stream two = new Stream(rates, new Caller("token:a", Set.of()), "192.0.2.9");
    two.bound.request(5);
    assertThat(two.asked).hasValue(0);
    Stream other = stream("token:b");
    other.bound.request(5);
    assertThat(other.asked).hasValue(5);
  }

  @Test
  void request_callersWhoShowNothing_areToldApartByAddress() throws Exception {
    Stream one = new Stream(rates, Caller.ANYONE, "192.0.2.1");
    one.send(50);
    Stream two = new Stream(rates, Caller.ANYONE, "192.0.2.2");
    two.bound.request(5);
    assertThat(two.asked).hasValue(5);
    Stream again = new Stream(rates, Caller.ANYONE, "192.0.2.1");
    again.bound.request(5);
    assertThat(again.asked).hasValue(0);
  }

  @Test
  void request_manyCallers_thoseWhoOweNothingAreForgotten() throws Exception {
    Stream owes = stream("token:a");
    for (int i = 0; i < 10_001; i++) {
      new Stream(rates, new Caller("token:" + i, Set.of()), "192.0.2.1").send(1);
    }
    owes.send(1000);
    pass(3 * SECOND);
    stream("token:new").send(1);
    owes.bound.request(5);
    assertThat(owes.asked).hasValue(0);
    stream("token:5").bound.request(5);
    assertThat(rates.slowed()).isEqualTo(1);
  }

  @Test
  void request_noBound_isPassedOn() throws Exception {
    Stream one = new Stream(new LabelRates(0), Caller.ANYONE, "192.0.2.1");
    one.send(1_000_000);
    one.bound.request(5);
    assertThat(one.asked).hasValue(5);
  }
}
