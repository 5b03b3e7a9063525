package dev.wukong.bundle;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A safetensors file in memory, usually mapped: its whole header is checked before the first tensor
 * is given out. Immutable; any thread, if the segment's arena allows it.
 */
public final class SafetensorsFile {
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Map<String, TensorView> tensors;

  private SafetensorsFile(Map<String, TensorView> tensors) {
    this.tensors = tensors;
  }

  /**
   * Maps a file; the mapping lives as long as {@code arena}. The file must not be truncated while
   * it is mapped.
   *
   * @throws BundleException if the header is damaged or does not describe the file exactly
   */
  public static SafetensorsFile map(Path file, Arena arena) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
      return of(channel.map(MapMode.READ_ONLY, 0, channel.size(), arena));
    } catch (BundleException e) {
      throw e.at(file.toString());
    }
  }

  /** Reads the header of a file whose bytes are in {@code bytes}. */
  public static SafetensorsFile of(MemorySegment bytes) throws BundleException {
    if (bytes.byteSize() < Long.BYTES) {
      throw new BundleException(
          "a safetensors file has at least 8 bytes, this one %d".formatted(bytes.byteSize()));
    }
    long length = bytes.get(LENGTH, 0);
    long rest = bytes.byteSize() - Long.BYTES;
    if (length < 0 || length > SafetensorsHeader.MAX_BYTES) {
      throw new BundleException(
          "the header claims %s bytes, at most %d are allowed"
              .formatted(Long.toUnsignedString(length), SafetensorsHeader.MAX_BYTES));
    }
    if (length > rest) {
      throw new BundleException(
          "the header claims %d bytes, the file has %d after its length".formatted(length, rest));
    }
    byte[] json = bytes.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
    SafetensorsHeader header = SafetensorsHeader.parse(json, rest - length);
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    for (SafetensorsHeader.Entry entry : header.entries()) {
      MemorySegment data =
          bytes.asSlice(Long.BYTES + length + entry.begin(), entry.end() - entry.begin());
      tensors.put(entry.spec().name(), new TensorView(entry.spec(), data.asReadOnly()));
    }
    return new SafetensorsFile(tensors);
  }

  /** The tensors in the order of their data. */
  public Collection<TensorView> tensors() {
    return tensors.values();
  }

  /**
   * The tensor {@code name}.
   *
   * @throws BundleException if there is none
   */
  public TensorView tensor(String name) throws BundleException {
    TensorView tensor = tensors.get(name);
    if (tensor == null) {
      throw new BundleException(
          "tensor '%s' is missing, the file has %s".formatted(name, tensors.keySet()));
    }
    return tensor;
  }
}
