package dev.wukong.data;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Encoded examples in a file of fixed-size records, mapped into memory: any row is read by its
 * number, and the file may be larger than memory. Made by {@link DatasetWriter}. Safe for all
 * threads until closed.
 */
public final class EncodedDataset implements AutoCloseable {
  private final FeatureEncoder encoder;
  private final DatasetLayout layout;
  private final Arena arena;
  private final MemorySegment records;
  private final long rows;
  private final long fingerprint;

  private EncodedDataset(
      FeatureEncoder encoder, DatasetLayout layout, Arena arena, MemorySegment file, long rows) {
    this.encoder = encoder;
    this.layout = layout;
    this.arena = arena;
    this.records = file.asSlice(DatasetLayout.HEADER);
    this.rows = rows;
    long meaning = Hash.of(file.get(DatasetLayout.LONG, 16));
    this.fingerprint = Hash.of(Hash.of(meaning + file.get(DatasetLayout.LONG, 32)) + rows);
  }

  /**
   * Opens {@code file}.
   *
   * @throws DataException if it is missing, incomplete, or was encoded with another schema or other
   *     vocabularies
   */
  public static EncodedDataset open(Path file, FeatureEncoder encoder) {
    if (!Files.isRegularFile(file)) {
      throw new DataException(file + " is not a file");
    }
    try (FileChannel channel = FileChannel.open(file)) {
      return OwnedArena.open(arena -> in(arena, file, channel, encoder));
    } catch (IOException e) {
      throw TextFiles.unreadable(file, e);
    }
  }

  private static EncodedDataset in(
      Arena arena, Path file, FileChannel channel, FeatureEncoder encoder) throws IOException {
    long size = channel.size();
    if (size < DatasetLayout.HEADER) {
      throw new DataException(
          "%s has %d bytes; an encoded data set is longer".formatted(file, size));
    }
    MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
    DatasetLayout layout = DatasetLayout.of(encoder);
    long rows = check(file, encoder, layout, mapped);
    return new EncodedDataset(encoder, layout, arena, mapped, rows);
  }

  private static long check(
      Path file, FeatureEncoder encoder, DatasetLayout layout, MemorySegment mapped) {
    if (mapped.get(DatasetLayout.LONG, 0) != DatasetLayout.MAGIC) {
      throw new DataException(file + " is not an encoded data set");
    }
    long rows = mapped.get(DatasetLayout.LONG, 8);
    if (mapped.get(DatasetLayout.LONG, 16) != DatasetLayout.fingerprint(encoder)
        || mapped.get(DatasetLayout.INT, 24) != layout.stride()) {
      throw new DataException(
          file + " was encoded with another schema or other vocabularies; encode it again");
    }
    if (rows < 0
        || rows > Long.MAX_VALUE / Math.max(1, layout.stride()) - DatasetLayout.HEADER
        || mapped.byteSize() != DatasetLayout.HEADER + rows * layout.stride()) {
      throw new DataException(
          "%s has %d bytes; its %d rows need %d"
              .formatted(
                  file, mapped.byteSize(), rows, DatasetLayout.HEADER + rows * layout.stride()));
    }
    return rows;
  }

  public long rows() {
    return rows;
  }

  /**
   * Tells it from data sets of other rows, another schema or other vocabularies, as they were when
   * it was written.
   */
  public long fingerprint() {
    return fingerprint;
  }

  /** The encoder that made it. */
  public FeatureEncoder encoder() {
    return encoder;
  }

  /** Room for batches of up to {@code rows} examples. */
  public EncodedExamples allocate(int rows) {
    return EncodedExamples.allocate(encoder, rows);
  }

  /** The examples at {@code indices}, in that order. */
  public EncodedExamples batch(long[] indices) {
    return batch(indices, 0, indices.length, allocate(indices.length));
  }

  /**
   * Reads {@code count} examples, at the indices from {@code from} on, into {@code room}.
   *
   * @return the examples, in the arrays of {@code room}
   */
  public EncodedExamples batch(long[] indices, int from, int count, EncodedExamples room) {
    for (int i = 0; i < count; i++) {
      read(indices[from + i], i, room);
    }
    return room.first(count);
  }

  /**
   * Reads the {@code count} examples from row {@code first} on into {@code room}, in the file's
   * order.
   *
   * @return the examples, in the arrays of {@code room}
   */
  public EncodedExamples range(long first, int count, EncodedExamples room) {
    for (int i = 0; i < count; i++) {
      read(first + i, i, room);
    }
    return room.first(count);
  }

  private void read(long index, int row, EncodedExamples room) {
    if (index < 0 || index >= rows) {
      throw new IndexOutOfBoundsException("row %d of %d".formatted(index, rows));
    }
    long at = index * layout.stride();
    EncodedRows context = room.context();
    EncodedRows candidate = room.candidate();
    at = ids(at, context.ids(), row, layout.contextIds());
    at = ids(at, candidate.ids(), row, layout.candidateIds());
    at = floats(at, context.weights(), row, layout.contextWeights());
    at = floats(at, candidate.weights(), row, layout.candidateWeights());
    at = floats(at, context.dense(), row, layout.contextDense());
    at = floats(at, candidate.dense(), row, layout.candidateDense());
    at = floats(at, room.labels(), row, layout.tasks());
    floats(at, room.labelWeights(), row, layout.tasks());
  }

  private long ids(long at, long[] into, int row, int width) {
    int to = row * width;
    if (layout.idBytes() == Long.BYTES) {
      MemorySegment.copy(records, DatasetLayout.LONG, at, into, to, width);
    } else {
      for (int i = 0; i < width; i++) {
        into[to + i] = records.get(DatasetLayout.INT, at + (long) i * Integer.BYTES);
      }
    }
    return at + (long) width * layout.idBytes();
  }

  private long floats(long at, float[] into, int row, int width) {
    MemorySegment.copy(records, DatasetLayout.FLOAT, at, into, row * width, width);
    return at + (long) width * Float.BYTES;
  }

  @Override
  public void close() {
    arena.close();
  }
}
