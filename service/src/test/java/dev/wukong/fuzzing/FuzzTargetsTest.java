package dev.wukong.fuzzing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every target with its seeds, and with what becomes of them by chance. */
class FuzzTargetsTest {
  private static final int CHANGED = 3000;

  static List<String> names() {
    return FuzzTargets.all().stream().map(FuzzTarget::name).toList();
  }

  @Test
  void all_namesAreDifferent() {
    assertThat(names()).doesNotHaveDuplicates().hasSizeGreaterThanOrEqualTo(12);
  }

  @ParameterizedTest
  @MethodSource("names")
  void reads_seeds_areRead(String name) throws Exception {
    FuzzTarget target = FuzzTargets.of(name);
    List<byte[]> seeds = target.seeds().get();
    assertThat(seeds).isNotEmpty();
    for (byte[] seed : seeds) {
      assertThat(target.reads(seed)).isTrue();
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void reads_changedSeeds_areReadOrRefused(String name) throws Exception {
    FuzzTarget target = FuzzTargets.of(name);
    SplittableRandom random = new SplittableRandom(name.hashCode());
    List<byte[]> seeds = new ArrayList<>(target.seeds().get());
    seeds.add(new byte[0]);
    int refused = 0;
    for (int i = 0; i < CHANGED; i++) {
      byte[] input = changed(seeds.get(random.nextInt(seeds.size())), random);
      refused += target.reads(input) ? 0 : 1;
    }
    assertThat(refused).isPositive();
  }

  /** What fuzzing has found: no decimal has such an exponent. */
  @ParameterizedTest
  @ValueSource(strings = {"manifest", "signature", "safetensors"})
  void reads_numberThatIsNone_isRefused(String name) throws Exception {
    byte[] json = FuzzTarget.text("{\"format\": 6e6666666666666666666}");
    ByteBuffer input = ByteBuffer.allocate(Long.BYTES + json.length).order(ByteOrder.LITTLE_ENDIAN);
    if (name.equals("safetensors")) {
      input.putLong(json.length);
    }
    byte[] all = Arrays.copyOf(input.put(json).array(), input.position());
    assertThat(FuzzTargets.of(name).reads(all)).isFalse();
  }

  private static byte[] changed(byte[] seed, SplittableRandom random) {
    byte[] input = random.nextInt(4) == 0 ? cut(seed, random) : seed.clone();
    for (int changes = random.nextInt(4); changes >= 0 && input.length > 0; changes--) {
      int at = random.nextInt(input.length);
      input[at] =
          switch (random.nextInt(3)) {
            case 0 -> (byte) (input[at] ^ 1 << random.nextInt(Byte.SIZE));
            case 1 -> (byte) random.nextInt();
            default -> input[random.nextInt(input.length)];
          };
    }
    return input;
  }

  /** A part of it, and perhaps some of it again. */
  private static byte[] cut(byte[] seed, SplittableRandom random) {
    int from = seed.length == 0 ? 0 : random.nextInt(seed.length);
    byte[] input = new byte[seed.length == 0 ? random.nextInt(9) : random.nextInt(2 * seed.length)];
    for (int i = 0; i < input.length; i++) {
      input[i] = seed.length == 0 ? (byte) random.nextInt() : seed[(from + i) % seed.length];
    }
    return input;
  }

  @Test
  void reads_whatIsNoRefusal_isAFinding() throws Exception {
    FuzzTarget target =
        new FuzzTarget(
            "one",
            IllegalArgumentException.class,
            List::of,
            input -> {
              switch (input.length) {
                case 0 -> throw new IllegalStateException("unlike the others");
                case 1 -> throw new IllegalArgumentException();
                case 2 -> throw new IllegalArgumentException("a line\rof its own");
                case 3 -> throw new IllegalArgumentException("x".repeat(20_000));
                default -> throw new IllegalArgumentException("refused");
              }
            });
    assertThatThrownBy(() -> target.reads(new byte[0])).isInstanceOf(IllegalStateException.class);
    for (int length = 1; length < 4; length++) {
      byte[] input = new byte[length];
      assertThatThrownBy(() -> target.reads(input)).isInstanceOf(AssertionError.class);
    }
    assertThat(target.reads(new byte[4])).isFalse();
  }
}
