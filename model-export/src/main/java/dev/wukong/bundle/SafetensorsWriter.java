package dev.wukong.bundle;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a safetensors file as a stream: the tensors are announced first, then their elements are
 * written in that order, in as many calls as the caller likes. One thread.
 *
 * <p>Layout: the header's length as a little-endian u64, the header as JSON padded with spaces so
 * that the data begins at a multiple of 8, then all tensors without gaps, little-endian.
 */
public final class SafetensorsWriter implements AutoCloseable {
  private static final int CHUNK = 1 << 16;

  private final OutputStream out;
  private final List<TensorSpec> tensors;
  private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
  private int current;
  private long left;

  /**
   * Writes the header.
   *
   * @param out closed by {@link #close}
   * @throws IllegalArgumentException if a name occurs twice or is {@code __metadata__}, or the
   *     header is over the limit of 1 MiB or 10,000 tensors
   */
  public SafetensorsWriter(OutputStream out, Map<String, String> metadata, List<TensorSpec> tensors)
      throws IOException {
    this.out = out;
    this.tensors = List.copyOf(tensors);
    out.write(header(metadata, this.tensors));
    skipFull(0);
  }

  private static byte[] header(Map<String, String> metadata, List<TensorSpec> tensors) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    if (!metadata.isEmpty()) {
      ObjectNode strings = root.putObject(SafetensorsHeader.METADATA);
      new TreeMap<>(metadata).forEach(strings::put);
    }
    Set<String> names = new HashSet<>();
    long offset = 0;
    for (TensorSpec tensor : tensors) {
      if (!names.add(tensor.name()) || tensor.name().equals(SafetensorsHeader.METADATA)) {
        throw new IllegalArgumentException(
            "tensor name '%s' is taken, names must differ".formatted(tensor.name()));
      }
      ObjectNode entry = root.putObject(tensor.name());
      entry.put("dtype", tensor.type().name());
      ArrayNode shape = entry.putArray("shape");
      tensor.shape().forEach(shape::add);
      long end = Math.addExact(offset, tensor.byteSize());
      entry.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    byte[] json = Json.MAPPER.writeValueAsString(root).getBytes(UTF_8);
    int padded = Math.addExact(json.length, 7) / 8 * 8;
    if (padded > SafetensorsHeader.MAX_BYTES || tensors.size() > SafetensorsHeader.MAX_TENSORS) {
      throw new IllegalArgumentException(
          "a safetensors header of %d bytes for %d tensors is over the limit of %d bytes and %d tensors"
              .formatted(
                  padded,
                  tensors.size(),
                  SafetensorsHeader.MAX_BYTES,
                  SafetensorsHeader.MAX_TENSORS));
    }
    ByteBuffer header = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(padded).put(json);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.array();
  }

  /**
   * Writes the next elements of the F32 tensor {@code name}.
   *
   * @throws IllegalArgumentException if it is another tensor's turn, or these are too many
   */
  public void floats(String name, FloatBuffer values) throws IOException {
    FloatBuffer from = values.duplicate();
    expect(name, DType.F32, from.remaining());
    while (from.hasRemaining()) {
      room(Float.BYTES).putFloat(from.get());
    }
    flushChunk();
  }

  /** {@link #floats(String, FloatBuffer)} of a whole array. */
  public void floats(String name, float[] values) throws IOException {
    floats(name, FloatBuffer.wrap(values));
  }

  /** Writes the next elements of the I64 tensor {@code name}. */
  public void longs(String name, LongBuffer values) throws IOException {
    LongBuffer from = values.duplicate();
    expect(name, DType.I64, from.remaining());
    while (from.hasRemaining()) {
      room(Long.BYTES).putLong(from.get());
    }
    flushChunk();
  }

  /** Writes the next elements of the I32 tensor {@code name}. */
  public void ints(String name, IntBuffer values) throws IOException {
    IntBuffer from = values.duplicate();
    expect(name, DType.I32, from.remaining());
    while (from.hasRemaining()) {
      room(Integer.BYTES).putInt(from.get());
    }
    flushChunk();
  }

  /**
   * Closes the stream.
   *
   * @throws IOException if elements of an announced tensor were not written: the file is not whole
   */
  @Override
  public void close() throws IOException {
    out.close();
    if (current < tensors.size()) {
      throw new IOException(
          "%d bytes of tensor '%s' were not written".formatted(left, tensors.get(current).name()));
    }
  }

  private void expect(String name, DType type, int count) {
    TensorSpec tensor = turn(name, count);
    if (tensor.type() != type) {
      throw new IllegalArgumentException(
          "tensor '%s' is of type %s, not %s".formatted(name, tensor.type(), type));
    }
    take(tensor, (long) count * type.bytes());
  }

  /** The tensor {@code name}, whose turn it must be if there is anything to write. */
  private TensorSpec turn(String name, int count) {
    for (int i = 0; i < tensors.size(); i++) {
      TensorSpec tensor = tensors.get(i);
      if (tensor.name().equals(name) && (i == current || count == 0)) {
        return tensor;
      }
    }
    throw new IllegalArgumentException(
        "cannot write to tensor '%s', the next one is %s"
            .formatted(
                name, current < tensors.size() ? "'" + tensors.get(current).name() + "'" : "none"));
  }

  private void take(TensorSpec tensor, long bytes) {
    if (bytes > left) {
      throw new IllegalArgumentException(
          "tensor '%s' has room for %d bytes more, got %d".formatted(tensor.name(), left, bytes));
    }
    if (bytes > 0) {
      left -= bytes;
      if (left == 0) {
        skipFull(current + 1);
      }
    }
  }

  /** Makes the first tensor from {@code index} that has elements the current one. */
  private void skipFull(int index) {
    current = index;
    while (current < tensors.size() && tensors.get(current).byteSize() == 0) {
      current++;
    }
    left = current < tensors.size() ? tensors.get(current).byteSize() : 0;
  }

  private ByteBuffer room(int bytes) throws IOException {
    if (chunk.remaining() < bytes) {
      flushChunk();
    }
    return chunk;
  }

  private void flushChunk() throws IOException {
    out.write(chunk.array(), 0, chunk.position());
    chunk.clear();
  }
}
