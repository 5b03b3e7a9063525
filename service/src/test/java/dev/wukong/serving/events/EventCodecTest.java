package dev.wukong.serving.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.EncodedRows;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class EventCodecTest {
  private static final PredictionId ID = SampleEvents.id(1_700_000_000_000L, -3);

  private static Logged roundTrip(String model, Event event) {
    byte[] body = EncodedEvent.of(model, event).body();
    return EventCodec.decode(17, EventCodec.encode(17, 1234, body));
  }

  /** By their bits: one NaN is not another. */
  private static void checkSame(ScoredRequest request, ScoredRequest must) {
    assertThat(request)
        .usingRecursiveComparison()
        .withEqualsForType(
            (a, b) -> Float.floatToRawIntBits(a) == Float.floatToRawIntBits(b), Float.class)
        .isEqualTo(must);
    assertThat(bits(request.probabilities())).isEqualTo(bits(must.probabilities()));
    assertThat(bits(request.candidates().weights())).isEqualTo(bits(must.candidates().weights()));
    assertThat(bits(request.candidates().dense())).isEqualTo(bits(must.candidates().dense()));
  }

  private static int[] bits(float[] floats) {
    int[] bits = new int[floats.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(floats[i]);
    }
    return bits;
  }

  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void decode_anyScoredRequest_isTheSameToTheBit(RepetitionInfo info) {
    ScoredRequest request = new SampleEvents(info.getCurrentRepetition()).request(ID);

    Logged logged = roundTrip("ctr", new Event.Scored(request));

    assertThat(logged.position()).isEqualTo(17);
    assertThat(logged.atMs()).isEqualTo(1234);
    assertThat(logged.model()).isEqualTo("ctr");
    assertThat(logged.event()).isInstanceOf(Event.Scored.class);
    checkSame(((Event.Scored) logged.event()).request(), request);
  }

  @RepeatedTest(value = 100, name = "seed {currentRepetition}")
  void decode_anyOtherEvent_isTheSame(RepetitionInfo info) {
    Event event = new SampleEvents(info.getCurrentRepetition()).other();

    assertThat(roundTrip("mödel", event).event()).usingRecursiveComparison().isEqualTo(event);
  }

  /** As buffers are that have served larger requests. */
  @RepeatedTest(value = 50, name = "seed {currentRepetition}")
  void decode_arraysLongerThanTheRows_hasTheRowsOnly(RepetitionInfo info) {
    SampleEvents samples = new SampleEvents(info.getCurrentRepetition());
    RowShape context = new RowShape(3, false, 2);
    RowShape candidate = new RowShape(2, true, 1);
    EncodedRows contexts = samples.rows(1, context, 5);
    EncodedRows candidates = samples.rows(4, candidate, 7);
    ScoredRequest request =
        new ScoredRequest(
            ID,
            new ScoredVersion(1, 2, 3, 4),
            5,
            contexts,
            candidates,
            new int[4],
            1,
            new float[] {0.1f, 0.2f, 0.3f, 0.4f});

    byte[] body = EncodedEvent.scored("ctr", request, context, candidate).body();
    ScoredRequest read = EventCodec.scored(1, ByteBuffer.wrap(EventCodec.encode(1, 2, body)));

    assertThat(read.context().ids()).isEqualTo(Arrays.copyOf(contexts.ids(), 3));
    assertThat(read.context().weights()).isEmpty();
    assertThat(bits(read.context().dense())).isEqualTo(bits(Arrays.copyOf(contexts.dense(), 2)));
    assertThat(read.candidates().ids()).isEqualTo(Arrays.copyOf(candidates.ids(), 8));
    assertThat(bits(read.candidates().weights()))
        .isEqualTo(bits(Arrays.copyOf(candidates.weights(), 8)));
    assertThat(bits(read.candidates().dense()))
        .isEqualTo(bits(Arrays.copyOf(candidates.dense(), 4)));
  }

  /** Around each length that a number has, and where the ids end that have the shorter way. */
  @Test
  void decode_idsOfEachLength_areTheSame() {
    long[] ids = new long[3 * Long.SIZE];
    for (int bit = 0; bit < Long.SIZE; bit++) {
      ids[3 * bit] = 1L << bit;
      ids[3 * bit + 1] = (1L << bit) - 1;
      ids[3 * bit + 2] = (1L << bit) - 2;
    }
    EventBytes bytes = new EventBytes(1);
    bytes.ids(ids, ids.length);
    EventBytes each = new EventBytes(1);
    for (long id : ids) {
      each.number(id + 1);
    }

    assertThat(bytes.exact()).isEqualTo(each.exact());
    EventCursor in = new EventCursor(1, ByteBuffer.wrap(bytes.exact()), 0);
    assertThat(in.last(in.ids(ids.length))).isEqualTo(ids);
  }

  @Test
  void of_arraysOfNoWholeNumberOfRows_isRefused() {
    ScoredRequest small = SampleEvents.small(ID, 2);
    EncodedRows longer = new EncodedRows(2, new long[3], new float[0], new float[0]);
    ScoredRequest request =
        new ScoredRequest(
            ID, small.version(), 1, small.context(), longer, new int[0], 1, new float[2]);

    assertThatThrownBy(() -> EncodedEvent.of("ctr", new Event.Scored(request)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("2 rows have 3 ids, 0 weights and 0 numbers");
  }

  private static byte[] sample() {
    ScoredRequest request = new SampleEvents(5).request(ID);
    return EventCodec.encode(17, 1234, EncodedEvent.of("ctr", new Event.Scored(request)).body());
  }

  @Test
  void decode_anyBitFlipped_isRefusedWithThePosition() {
    byte[] bytes = sample();
    for (int i = 0; i < bytes.length * Byte.SIZE; i++) {
      byte[] flipped = bytes.clone();
      flipped[i / Byte.SIZE] ^= (byte) (1 << (i % Byte.SIZE));
      assertThatThrownBy(() -> EventCodec.decode(17, flipped))
          .isInstanceOf(EventLogException.class)
          .hasMessageStartingWith("event 17 ");
    }
  }

  @Test
  void decode_cutAtAnyLength_isRefused() {
    byte[] bytes = sample();
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> EventCodec.decode(17, cut))
          .isInstanceOf(EventLogException.class)
          .hasMessageStartingWith("event 17 is damaged: ");
    }
  }

  /** A checksum of the right bytes at the wrong place. */
  @Test
  void decode_atAnotherPosition_isRefused() {
    assertThatThrownBy(() -> EventCodec.decode(18, sample()))
        .isInstanceOf(EventLogException.class)
        .hasMessage("event 18 is damaged: its checksum is another");
  }

  @Test
  void decode_laterFormat_saysSo() {
    byte[] bytes = sample();
    bytes[0] = 2;

    assertThatThrownBy(() -> EventCodec.decode(17, bytes))
        .isInstanceOf(EventLogException.class)
        .hasMessage("event 17 has format 2, this build reads 1");
  }

  /** Bodies whose checksum is right: whoever wrote them, they must end in no other exception. */
  @Test
  void decode_bodyCutOrChangedBeforeItsChecksum_readsOrRefuses() {
    byte[] body = EncodedEvent.of("ctr", new Event.Scored(new SampleEvents(6).request(ID))).body();
    for (int i = 0; i < body.length; i++) {
      checkReadOrRefused(Arrays.copyOf(body, i));
      for (int value : new int[] {0, 0x7F, 0x80, 0xFF}) {
        byte[] changed = body.clone();
        changed[i] = (byte) value;
        checkReadOrRefused(changed);
      }
    }
  }

  private static void checkReadOrRefused(byte[] body) {
    try {
      Logged logged = EventCodec.decode(1, EventCodec.encode(1, 2, body));
      assertThat(logged.position()).isEqualTo(1);
      if (logged.event() instanceof Event.Scored made) {
        assertThat(made.request().version()).isEqualTo(made.version());
      }
    } catch (EventLogException e) {
      assertThat(e).hasMessageStartingWith("event 1 is damaged: ");
    }
  }

  @Test
  void decode_countsBeyondTheBytes_areRefusedBeforeAnyArrayIsMade() {
    EventBytes bytes = new EventBytes(64);
    bytes.text("ctr");
    bytes.one(EventKind.SCORED.code());
    bytes.fixed(1);
    bytes.fixed(2);
    for (int i = 0; i < 4; i++) {
      bytes.number(1);
    }
    bytes.fixed(3);
    bytes.number(Integer.MAX_VALUE);
    bytes.number(Integer.MAX_VALUE);
    bytes.number(Integer.MAX_VALUE);
    bytes.one(1);

    assertThatThrownBy(
            () -> EventCodec.scored(1, ByteBuffer.wrap(EventCodec.encode(1, 2, bytes.exact()))))
        .isInstanceOf(EventLogException.class)
        .hasMessage(
            "event 1 is damaged: it should have 4611686014132420609 numbers, 0 bytes are left");
  }
}
