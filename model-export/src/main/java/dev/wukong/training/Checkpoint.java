package dev.wukong.training;

import dev.wukong.data.FileProblem;
import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A file with the whole state of a training: weights, statistics, rows, the optimizers' state, and
 * where training stands. It is whole or not there, a checksum ends it, and only the training that
 * wrote it takes it over. One thread.
 */
final class Checkpoint {
  /*
   * 8 bytes of magic and format, the file's length (both big-endian), then, little-endian and under the checksum: fingerprint, position,
   * steps; every weight and statistic with its optimizer state; the rows, each as table, id, floats and state; a table of -1.
   */
  private static final long MAGIC = 0x57554B4F4E470000L; // "WUKONG"
  private static final long FORMAT_BITS = 0xFFFF;

  /**
   * Goes up when the file's layout changes, and when anything changes that a resumed training
   * depends on and the graph does not show: shuffling, dropout, the arithmetic of optimizers.
   */
  private static final long FORMAT = 2;

  private static final int HEADER = 2 * Long.BYTES;

  private final Path file;
  private final Fingerprint fingerprint;
  private final TrainSession session;

  Checkpoint(Path file, Fingerprint fingerprint, TrainSession session) {
    this.file = file;
    this.fingerprint = fingerprint;
    this.session = session;
  }

  Path file() {
    return file;
  }

  boolean exists() {
    return Files.exists(file);
  }

  /** Writes the session's state, which stands at {@code position}. */
  void write(Position position) throws IOException {
    try (WholeFile whole = WholeFile.create(file)) {
      whole.channel().position(HEADER);
      CheckedWriter out = new CheckedWriter(whole.channel());
      write(position, out);
      out.finish();
      ByteBuffer header = ByteBuffer.allocate(HEADER);
      header.putLong(MAGIC | FORMAT).putLong(whole.channel().position()).flip();
      for (int at = 0; header.hasRemaining(); ) {
        at += whole.channel().write(header, at);
      }
      whole.commit();
    } catch (IOException | UncheckedIOException e) {
      throw new IOException(
          "checkpoint " + file + " cannot be written: " + FileProblem.describe(e), e);
    }
  }

  private void write(Position position, CheckedWriter out) throws IOException {
    out.number(fingerprint.schema());
    out.number(fingerprint.model());
    out.number(fingerprint.graph());
    out.number(fingerprint.training());
    out.number(fingerprint.data());
    out.number(fingerprint.validation());
    out.integer(position.epoch());
    out.number(position.rows());
    out.number(position.lossSum());
    out.number(position.recentLoss());
    out.number(position.nanos());
    out.number(position.factor());
    out.number(position.best());
    out.integer(position.stale());
    out.number(session.steps());
    for (WeightState state : List.of(session.weights(), session.statistics())) {
      for (String name : state.places().keySet()) {
        out.floats(state.buffer(name));
        for (int i = 0; i < state.stateSlots(); i++) {
          out.floats(state.state(i, name));
        }
      }
    }
    session
        .rows()
        .forEach(
            (table, id, row, state) -> {
              try {
                out.integer(table);
                out.number(id);
                out.floats(row);
                out.floats(state);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    out.integer(-1);
  }

  /**
   * Reads the file into the session, which must be a fresh one or the one that wrote it.
   *
   * @return where training stands
   * @throws IOException where it is no checkpoint, damaged, or of another training or build; the
   *     session is then as it was
   */
  Position read() throws IOException {
    try (CheckedReader in = new CheckedReader(file)) {
      check(in);
      Fingerprint of =
          new Fingerprint(
              in.number(), in.number(), in.number(), in.number(), in.number(), in.number());
      List<String> differences = fingerprint.differences(of);
      if (!differences.isEmpty()) {
        throw refusal("is of another training, it differs in: " + String.join(", ", differences));
      }
      Position position =
          new Position(
              in.integer(),
              in.number(),
              in.real(),
              in.real(),
              in.number(),
              in.real(),
              in.real(),
              in.integer());
      session.restoreSteps(in.number());
      session.changing();
      for (WeightState state : List.of(session.weights(), session.statistics())) {
        for (String name : state.places().keySet()) {
          in.floats(state.buffer(name));
          for (int i = 0; i < state.stateSlots(); i++) {
            in.floats(state.state(i, name));
          }
        }
      }
      rows(in);
      return position;
    }
  }

  private void rows(CheckedReader in) {
    float[] row = {};
    float[] state = {};
    int of = -1;
    for (int table = in.integer(); table >= 0; table = in.integer()) {
      if (table != of) {
        row = new float[session.rowWidth(table)];
        state = new float[session.rowStateWidth(table)];
        of = table;
      }
      long id = in.number();
      in.floats(row);
      in.floats(state);
      session.rows().restore(table, id, row, state);
    }
  }

  /** Before anything is taken over: that the file is ours, of this format, and whole. */
  private void check(CheckedReader in) throws IOException {
    if (in.length() < HEADER || (in.header(0) & ~FORMAT_BITS) != MAGIC) {
      throw new IOException(file + " is not a checkpoint");
    }
    long format = in.header(0) & FORMAT_BITS;
    if (format != FORMAT) {
      throw refusal(
          "was written by another build of the program: its format is "
              + format
              + ", this build reads "
              + FORMAT);
    }
    if (in.length() != in.header(1)) {
      throw refusal("is damaged: it has " + in.length() + " bytes and should have " + in.header(1));
    }
    if (!in.intact(HEADER)) {
      throw refusal("is damaged: its checksum does not fit");
    }
  }

  private IOException refusal(String reason) {
    return new IOException(file + " " + reason + "; remove it to start afresh");
  }
}
