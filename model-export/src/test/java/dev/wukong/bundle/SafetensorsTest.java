package dev.wukong.bundle;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsTest {
  @Test
  void write_smallFile_hasTheFormatsBytes() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            out,
            Map.of("k", "v"),
            List.of(
                TensorSpec.of("a", DType.I64, 1),
                TensorSpec.of("none", DType.F32, 0, 5),
                TensorSpec.of("b", DType.F32, 1, 2),
                TensorSpec.of("c", DType.I32)))) {
      writer.longs("a", LongBuffer.wrap(new long[] {-2}));
      writer.floats("b", new float[] {1, -0.5f});
      writer.ints("c", IntBuffer.wrap(new int[] {9}));
    }
    // Written by hand from the format's description.
    String json =
        "{\"__metadata__\":{\"k\":\"v\"},"
            + "\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            + "\"none\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[8,8]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
            + "\"c\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[16,20]}} ";
    String data = "feffffffffffffff" + "0000803f000000bf" + "09000000";
    String length = "%016x".formatted(Long.reverseBytes(json.length()));
    assertThat(json.length() % 8).isZero();
    assertThat(HexFormat.of().formatHex(out.toByteArray()))
        .isEqualTo(length + HexFormat.of().formatHex(json.getBytes(UTF_8)) + data);
  }

  @Test
  void map_writtenFile_givesTensorsBack(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("x.safetensors");
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            Files.newOutputStream(file),
            Map.of(),
            List.of(
                TensorSpec.of("ids", DType.I64, 3),
                TensorSpec.of("slots", DType.I32, 2),
                TensorSpec.of("rows", DType.F32, 3, 2)))) {
      writer.longs("ids", LongBuffer.wrap(new long[] {1, 2}));
      writer.longs("ids", LongBuffer.wrap(new long[] {Long.MAX_VALUE}));
      writer.ints("slots", IntBuffer.wrap(new int[] {-1, 1}));
      writer.floats("rows", new float[] {1, 2, 3, 4, 5, 6});
    }
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile read = SafetensorsFile.map(file, arena);
      assertThat(read.tensors())
          .extracting(t -> t.spec().name())
          .containsExactly("ids", "slots", "rows");
      assertThat(read.tensor("ids").longs())
          .isEqualTo(LongBuffer.wrap(new long[] {1, 2, Long.MAX_VALUE}));
      assertThat(read.tensor("slots").data().toArray(ValueLayout.JAVA_INT_UNALIGNED))
          .containsExactly(-1, 1);
      FloatTensor rows = read.tensor("rows").toFloatTensor();
      assertThat(rows.shape()).containsExactly(3L, 2L);
      assertThat(rows.data()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThatThrownBy(() -> read.tensor("row"))
          .isInstanceOf(BundleException.class)
          .hasMessage("tensor 'row' is missing, the file has [ids, slots, rows]");
      assertThatThrownBy(() -> read.tensor("ids").floats())
          .isInstanceOf(BundleException.class)
          .hasMessage("tensor 'ids' is of type I64, expected F32");
    }
  }

  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void write_anyFloatsInAnyPieces_readsTheSameBits(RepetitionInfo run) throws IOException {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    // Any bits at all: infinities, subnormal numbers and negative zeros among them.
    float[] values = new float[random.nextInt(256)];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextInt(8) == 0 ? -0f : Float.intBitsToFloat(random.nextInt());
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int cut = random.nextInt(values.length + 1);
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            out, Map.of(), List.of(TensorSpec.of("x", DType.F32, values.length)))) {
      writer.floats("x", Arrays.copyOfRange(values, 0, cut));
      writer.floats("x", Arrays.copyOfRange(values, cut, values.length));
    }
    FloatTensor read =
        SafetensorsFile.of(MemorySegment.ofArray(out.toByteArray())).tensor("x").toFloatTensor();
    assertThat(bits(read.data())).isEqualTo(bits(values));
  }

  private static int[] bits(float[] values) {
    return IntStream.range(0, values.length).map(i -> Float.floatToRawIntBits(values[i])).toArray();
  }

  @Test
  void write_wrongUse_refuses() throws IOException {
    List<TensorSpec> specs =
        List.of(TensorSpec.of("a", DType.I64, 1), TensorSpec.of("b", DType.F32, 2));
    SafetensorsWriter writer = new SafetensorsWriter(new ByteArrayOutputStream(), Map.of(), specs);
    assertThatThrownBy(() -> writer.floats("b", new float[2]))
        .hasMessage("cannot write to tensor 'b', the next one is 'a'");
    assertThatThrownBy(() -> writer.floats("a", new float[1]))
        .hasMessage("tensor 'a' is of type I64, not F32");
    assertThatThrownBy(() -> writer.longs("a", LongBuffer.wrap(new long[2])))
        .hasMessage("tensor 'a' has room for 8 bytes more, got 16");
    assertThatThrownBy(writer::close)
        .isInstanceOf(IOException.class)
        .hasMessage("8 bytes of tensor 'a' were not written");
    assertThatThrownBy(
            () ->
                new SafetensorsWriter(
                    new ByteArrayOutputStream(), Map.of(), List.of(specs.get(0), specs.get(0))))
        .hasMessage("tensor name 'a' is taken, names must differ");
  }

  static Stream<Arguments> damagedHeaders() {
    String longName = "n".repeat(1025);
    return Stream.of(
        Arguments.of("", "the header does not begin with '{'"),
        Arguments.of("[]", "the header does not begin with '{'"),
        Arguments.of(
            header("a", "F32", "[1]", "[0,4]").replace("}", ""),
            "the header is not valid JSON: Unexpected end-of-input: expected close marker for"
                + " Object"),
        Arguments.of(
            "{\"a\":"
                + tensor("F32", "[1]", "[0,4]")
                + ",\"a\":"
                + tensor("F32", "[0]", "[4,4]")
                + "}",
            "the header is not valid JSON: Duplicate Object property \"a\""),
        Arguments.of(
            "{\"a\":{\"dtype\":[[[[1]]]]}}",
            "the header is not valid JSON: Document nesting depth (5) exceeds the maximum allowed"
                + " (4, from `StreamReadConstraints.getMaxNestingDepth()`)"),
        Arguments.of("{\"a\":1}", "field 'a' is 1, expected an object"),
        Arguments.of("{\"a\":{}}", "field 'a.dtype' is missing"),
        Arguments.of(
            header("a", "F4", "[1]", "[0,4]"),
            "field 'a.dtype' is 'F4', allowed are [F64, F32, F16, BF16, I64, I32, I16, I8, U64,"
                + " U32, U16, U8, BOOL]"),
        Arguments.of(
            header("a", "F32", "[-1]", "[0,4]"),
            "field 'a.shape[0]' is -1, expected an integer from 0 to 9223372036854775807"),
        Arguments.of(
            header("a", "F32", "[1.0]", "[0,4]"),
            "field 'a.shape[0]' is 1.0, expected an integer from 0 to 9223372036854775807"),
        Arguments.of(
            header("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"),
            "field 'a.shape' has 9 elements, allowed are 0 to 8"),
        Arguments.of(
            header("a", "F32", "[4294967296,4294967296]", "[0,4]"),
            "tensor 'a' has shape [4294967296, 4294967296], whose size overflows"),
        Arguments.of(
            header("a", "F32", "[1]", "[0]"), "field 'a.data_offsets' has 1 elements, expected 2"),
        Arguments.of(
            header("a", "F32", "[1]", "[4,0]"),
            "tensor 'a' of type F32 and shape [1] needs 4 bytes, its offsets 4 to 0 do not fit"),
        Arguments.of(
            header("a", "F32", "[2]", "[0,4]"),
            "tensor 'a' of type F32 and shape [2] needs 8 bytes, its offsets 0 to 4 do not fit"),
        Arguments.of(
            header("a", "F32", "[1]", "[4,8]"),
            "tensor 'a' begins at byte 4, expected 0: tensors must neither overlap nor leave gaps"),
        Arguments.of(
            "{\"a\":"
                + tensor("F32", "[1]", "[0,4]")
                + ",\"b\":"
                + tensor("I8", "[2]", "[2,4]")
                + "}",
            "tensor 'b' begins at byte 2, expected 4: tensors must neither overlap nor leave gaps"),
        Arguments.of(header("a", "I8", "[3]", "[0,3]"), "the tensors take 3 bytes, the file has 4"),
        Arguments.of(header("a", "I8", "[5]", "[0,5]"), "the tensors take 5 bytes, the file has 4"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}",
            "field 'a.more' is unknown"),
        Arguments.of(
            header(longName, "F32", "[1]", "[0,4]"),
            "a tensor's name has 1025 characters, at most 1024 are allowed"),
        Arguments.of(
            "{\"__metadata__\":{\"k\":1}}", "field '__metadata__.k' is 1, expected a string"));
  }

  @ParameterizedTest
  @MethodSource("damagedHeaders")
  void read_damagedHeader_refuses(String json, String message) {
    byte[] bytes = json.getBytes(UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + bytes.length + 4).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(bytes.length).put(bytes);
    assertThatThrownBy(() -> SafetensorsFile.of(MemorySegment.ofArray(file.array())))
        .isInstanceOf(BundleException.class)
        .hasMessage(message);
  }

  @Test
  void read_damagedLength_refuses() {
    assertThatThrownBy(() -> SafetensorsFile.of(MemorySegment.ofArray(new byte[7])))
        .hasMessage("a safetensors file has at least 8 bytes, this one 7");
    assertThatThrownBy(() -> SafetensorsFile.of(withLength(1 << 21)))
        .hasMessage("the header claims 2097152 bytes, at most 1048576 are allowed");
    assertThatThrownBy(() -> SafetensorsFile.of(withLength(-1)))
        .hasMessage("the header claims 18446744073709551615 bytes, at most 1048576 are allowed");
    assertThatThrownBy(() -> SafetensorsFile.of(withLength(100)))
        .hasMessage("the header claims 100 bytes, the file has 8 after its length");
  }

  @RepeatedTest(value = 20, name = "seed {currentRepetition}")
  void read_changedBytes_passesOrRefuses(RepetitionInfo run) throws IOException {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            out,
            Map.of("key", "value"),
            List.of(TensorSpec.of("ids", DType.I64, 2), TensorSpec.of("rows", DType.F32, 2, 3)))) {
      writer.longs("ids", LongBuffer.wrap(new long[2]));
      writer.floats("rows", new float[6]);
    }
    for (int i = 0; i < 100; i++) {
      byte[] file = out.toByteArray();
      int at = random.nextInt(file.length);
      for (int n = random.nextInt(1, 4); n > 0; n--) {
        file[at++ % file.length] = (byte) random.nextInt();
      }
      try {
        SafetensorsFile.of(MemorySegment.ofArray(file));
      } catch (BundleException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  private static MemorySegment withLength(long length) {
    ByteBuffer file = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    return MemorySegment.ofArray(file.array());
  }

  private static String header(String name, String dtype, String shape, String offsets) {
    return "{\"" + name + "\":" + tensor(dtype, shape, offsets) + "}";
  }

  private static String tensor(String dtype, String shape, String offsets) {
    return "{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}".formatted(dtype, shape, offsets);
  }
}
