package dev.wukong.training;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * The whole state of a training in one file: weights, statistics, rows, the optimizers' state, and
 * where training stands. Written beside and renamed; a checksum ends it. Only the training that
 * wrote it can read it.
 *
 * @param fingerprint of model, schema, training configuration and data: another training refuses
 *     the file
 * @param epoch whole epochs done
 * @param factor of the learning rates
 * @param best the best validation figure so far
 * @param stale epochs without gain
 */
record Checkpoint(long fingerprint, int epoch, double factor, double best, int stale) {
  private static final long MAGIC = 0x57554B4F4E470001L;

  void write(Path file, TrainSession session) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    CRC32 crc = new CRC32();
    try (DataOutputStream out =
        new DataOutputStream(
            new BufferedOutputStream(
                new CheckedOutputStream(Files.newOutputStream(part), crc), 1 << 16))) {
      out.writeLong(MAGIC);
      out.writeLong(fingerprint);
      out.writeInt(epoch);
      out.writeDouble(factor);
      out.writeDouble(best);
      out.writeInt(stale);
      out.writeLong(session.steps());
      for (WeightState state : new WeightState[] {session.weights(), session.statistics()}) {
        for (String name : state.places().keySet()) {
          floats(out, state.buffer(name));
          for (int i = 0; i < state.stateSlots(); i++) {
            floats(out, state.state(i, name));
          }
        }
      }
      session
          .rows()
          .forEach(
              (table, id, row, state) -> {
                try {
                  out.writeInt(table);
                  out.writeLong(id);
                  floats(out, FloatBuffer.wrap(row));
                  floats(out, FloatBuffer.wrap(state));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      out.writeInt(-1);
      out.flush();
      out.writeLong(crc.getValue());
    } catch (UncheckedIOException e) {
      throw new IOException("checkpoint " + file + " cannot be written", e);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Reads {@code file} into {@code session}.
   *
   * @throws IOException where it is damaged or of another training; the session is then spoilt
   */
  static Checkpoint read(Path file, long fingerprint, TrainSession session) throws IOException {
    verify(file);
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16))) {
      if (in.readLong() != MAGIC) {
        throw new IOException(file + " is not a checkpoint");
      }
      if (in.readLong() != fingerprint) {
        throw new IOException(
            file
                + " is of another training (model, schema, options or data differ); remove it to"
                + " start afresh");
      }
      Checkpoint result =
          new Checkpoint(fingerprint, in.readInt(), in.readDouble(), in.readDouble(), in.readInt());
      session.restoreSteps(in.readLong());
      for (WeightState state : new WeightState[] {session.weights(), session.statistics()}) {
        for (String name : state.places().keySet()) {
          read(in, state.buffer(name));
          for (int i = 0; i < state.stateSlots(); i++) {
            read(in, state.state(i, name));
          }
        }
      }
      for (int table = in.readInt(); table >= 0; table = in.readInt()) {
        long id = in.readLong();
        float[] row = floats(in, session.rowWidth(table));
        session.rows().restore(table, id, row, floats(in, session.rowStateWidth(table)));
      }
      return result;
    } catch (EOFException e) {
      throw new IOException(file + " is cut short", e);
    }
  }

  /** The checksum first, so that damage is found before anything is taken over. */
  private static void verify(Path file) throws IOException {
    long length = Files.size(file) - Long.BYTES;
    CRC32 crc = new CRC32();
    try (CheckedInputStream in =
            new CheckedInputStream(
                new BufferedInputStream(Files.newInputStream(file), 1 << 16), crc);
        DataInputStream data = new DataInputStream(in)) {
      byte[] block = new byte[1 << 16];
      long left = length;
      while (left > 0) {
        int read = in.read(block, 0, (int) Math.min(block.length, left));
        if (read < 0) {
          break;
        }
        left -= read;
      }
      long expected = crc.getValue();
      if (length < 0 || left > 0 || data.readLong() != expected) {
        throw new IOException(file + " is damaged: its checksum does not fit");
      }
    }
  }

  private static void floats(DataOutputStream out, FloatBuffer values) throws IOException {
    for (int i = 0; i < values.limit(); i++) {
      out.writeFloat(values.get(i));
    }
  }

  private static void read(DataInputStream in, FloatBuffer values) throws IOException {
    for (int i = 0; i < values.limit(); i++) {
      values.put(i, in.readFloat());
    }
  }

  private static float[] floats(DataInputStream in, int count) throws IOException {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.readFloat();
    }
    return values;
  }
}
