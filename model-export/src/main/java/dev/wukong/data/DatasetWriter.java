package dev.wukong.data;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Encodes all rows of a source into the file of an {@link EncodedDataset}, in one streamed pass.
 */
public final class DatasetWriter {
  private static final int BLOCK = 1024;

  private final FeatureEncoder encoder;
  private final DatasetLayout layout;
  private final MemorySegment bytes;
  private final CRC32C checksum = new CRC32C();
  private long at;

  private DatasetWriter(FeatureEncoder encoder) {
    this.encoder = encoder;
    this.layout = DatasetLayout.of(encoder);
    this.bytes = MemorySegment.ofArray(new byte[Math.multiplyExact(BLOCK, layout.stride())]);
  }

  /**
   * Writes {@code file}, which is whole or not there.
   *
   * @param source read to its end, not closed
   * @return what encoding met
   * @throws DataException if a row is wrong
   */
  public static EncodingCounts write(
      Path file, FeatureEncoder encoder, RowSource source, Progress progress) {
    return write(file, encoder, encoder.bindLabelled(source), source, progress);
  }

  /**
   * Writes {@code file} from a source whose labels are not looked at and may be missing: all rows
   * have labels of weight 0.
   *
   * @return what encoding met
   * @throws DataException if a row is wrong
   */
  public static EncodingCounts writeUnlabelled(
      Path file, FeatureEncoder encoder, RowSource source, Progress progress) {
    return write(file, encoder, encoder.bind(source), source, progress);
  }

  private static EncodingCounts write(
      Path file, FeatureEncoder encoder, RowEncoder rows, RowSource source, Progress progress) {
    try (WholeFile whole = WholeFile.create(file)) {
      EncodingCounts counts =
          new DatasetWriter(encoder).writeAll(whole.channel(), rows, source, progress);
      whole.commit();
      return counts;
    } catch (IOException e) {
      throw new DataException(
          "%s cannot be written: %s".formatted(file, FileProblem.describe(e)), e);
    }
  }

  private EncodingCounts writeAll(
      FileChannel channel, RowEncoder encode, RowSource source, Progress progress)
      throws IOException {
    EncodingCounts counts = new EncodingCounts();
    EncodedExamples block = EncodedExamples.allocate(encoder, BLOCK);
    channel.position(DatasetLayout.HEADER);
    long rows = 0;
    int filled = 0;
    while (source.next()) {
      encode.encode(block.context(), block.candidate(), filled, counts);
      encode.labels(block.labels(), block.labelWeights(), filled * encode.tasks());
      filled++;
      rows++;
      if (filled == BLOCK) {
        flush(channel, block, filled);
        filled = 0;
      }
      progress.rows(rows);
    }
    flush(channel, block, filled);
    header(channel, rows);
    return counts;
  }

  private void header(FileChannel channel, long rows) throws IOException {
    MemorySegment header = MemorySegment.ofArray(new byte[DatasetLayout.HEADER]);
    header.set(DatasetLayout.LONG, 0, DatasetLayout.MAGIC);
    header.set(DatasetLayout.LONG, 8, rows);
    header.set(DatasetLayout.LONG, 16, DatasetLayout.fingerprint(encoder));
    header.set(DatasetLayout.INT, 24, layout.stride());
    header.set(DatasetLayout.LONG, 32, checksum.getValue());
    ByteBuffer buffer = header.asByteBuffer();
    for (long to = 0; buffer.hasRemaining(); ) {
      to += channel.write(buffer, to);
    }
  }

  private void flush(FileChannel channel, EncodedExamples block, int rows) throws IOException {
    at = 0;
    for (int row = 0; row < rows; row++) {
      ids(block.context().ids(), row, layout.contextIds());
      ids(block.candidate().ids(), row, layout.candidateIds());
      floats(block.context().weights(), row, layout.contextWeights());
      floats(block.candidate().weights(), row, layout.candidateWeights());
      floats(block.context().dense(), row, layout.contextDense());
      floats(block.candidate().dense(), row, layout.candidateDense());
      floats(block.labels(), row, layout.tasks());
      floats(block.labelWeights(), row, layout.tasks());
    }
    ByteBuffer buffer = bytes.asSlice(0, at).asByteBuffer();
    checksum.update(buffer.duplicate());
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private void ids(long[] from, int row, int width) {
    for (int i = 0; i < width; i++) {
      long id = from[row * width + i];
      if (layout.idBytes() == Long.BYTES) {
        bytes.set(DatasetLayout.LONG, at, id);
      } else {
        bytes.set(DatasetLayout.INT, at, (int) id);
      }
      at += layout.idBytes();
    }
  }

  private void floats(float[] from, int row, int width) {
    MemorySegment.copy(from, row * width, bytes, DatasetLayout.FLOAT, at, width);
    at += (long) width * Float.BYTES;
  }
}
