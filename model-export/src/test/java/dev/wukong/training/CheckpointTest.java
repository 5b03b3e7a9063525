package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
  private static final Position POSITION = new Position(2, 64, 1.5, 0.75, 12345, 0.1, 0.625, 1);

  @TempDir private Path folder = Path.of("");
  private SmallTraining small;
  private TrainSession session;
  private Path file;

  @BeforeEach
  void written() throws IOException {
    small = new SmallTraining(folder, 1);
    session = small.session(SmallTraining.MODEL, SmallTraining.TOUCHED);
    var batch = small.train.range(0, 64, small.train.allocate(64));
    for (int i = 0; i < 3; i++) {
      assertThat(session.step(batch, 1).loss()).isFinite();
    }
    file = folder.resolve("a.checkpoint");
    checkpoint(session).write(POSITION);
  }

  @AfterEach
  void close() {
    session.close();
    small.close();
  }

  private Checkpoint checkpoint(TrainSession of) {
    return new Checkpoint(file, fingerprint(of), of);
  }

  private Fingerprint fingerprint(TrainSession of) {
    return Fingerprint.of(of, small.train, Optional.of(small.valid));
  }

  @Test
  void read_inAFreshSession_givesBackEverything() throws IOException {
    try (TrainSession fresh = small.session(SmallTraining.MODEL, SmallTraining.TOUCHED)) {
      assertThat(checkpoint(fresh).read()).isEqualTo(POSITION);
      assertThat(SmallTraining.state(fresh).equals(SmallTraining.state(session))).isTrue();
    }
    assertThat(folder.resolve("a.checkpoint.part")).doesNotExist();
  }

  @Test
  void write_ofTheSameState_givesTheSameBytes() throws IOException {
    byte[] first = Files.readAllBytes(file);
    try (TrainSession fresh = small.session(SmallTraining.MODEL, SmallTraining.TOUCHED)) {
      checkpoint(fresh).write(checkpoint(fresh).read());
    }
    assertThat(Files.readAllBytes(file)).isEqualTo(first);
  }

  @Test
  void write_folderIsGone_saysSo() {
    Path gone = folder.resolve("gone/a.checkpoint");
    assertThatThrownBy(
            () -> new Checkpoint(gone, fingerprint(session), session).write(Position.START))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("checkpoint " + gone + " cannot be written: ");
  }

  /** Refused with exactly this message, and the session is as it was. */
  private void assertRefused(String message) {
    try (TrainSession fresh = small.session(SmallTraining.MODEL, SmallTraining.TOUCHED)) {
      var before = SmallTraining.state(fresh);
      assertThatThrownBy(() -> checkpoint(fresh).read())
          .isInstanceOf(IOException.class)
          .hasMessage(message.formatted(file));
      assertThat(SmallTraining.state(fresh).equals(before)).isTrue();
    }
  }

  @Test
  void read_foreignFile_isRefused() throws IOException {
    for (String text : new String[] {"", "short", "x".repeat(5000)}) {
      Files.writeString(file, text);
      assertRefused("%s is not a checkpoint");
    }
  }

  @Test
  void read_cutShortOrGrown_isRefused() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    for (int length :
        new int[] {16, 17, 100, bytes.length / 2, bytes.length - 1, bytes.length + 1}) {
      Files.write(file, Arrays.copyOf(bytes, length));
      assertRefused(
          "%s is damaged: it has "
              + length
              + " bytes and should have "
              + bytes.length
              + "; remove it to start afresh");
    }
  }

  @Test
  void read_oneBitTurned_isRefused() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    for (int at : new int[] {16, 50, 200, bytes.length / 2, bytes.length - 9, bytes.length - 1}) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= 4;
      Files.write(file, damaged);
      assertRefused("%s is damaged: its checksum does not fit; remove it to start afresh");
    }
  }

  @Test
  void read_anotherFormat_isRefused() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    // Format 1 is what the first builds of this program wrote.
    Files.write(file, ByteBuffer.wrap(bytes).putLong(0, 0x57554B4F4E470001L).array());
    assertRefused(
        "%s was written by another build of the program: its format is 1, this build reads 2;"
            + " remove it to start afresh");
  }

  @Test
  void read_ofAnotherTraining_namesWhatDiffers() throws IOException {
    String options = SmallTraining.TOUCHED;
    refused("model", SmallTraining.MODEL.replace("rank: 3", "rank: 4"), options);
    // The deviation shows in no graph, but rows that are made later depend on it.
    refused("model", SmallTraining.MODEL.replace("deviation: 0.1", "deviation: 0.2"), options);
    refused("training options", SmallTraining.MODEL, options + "seed: 9\n");
    for (String key : List.of("measure: log_loss", "restore: true")) {
      String plateau = options.replace("{stop_after: 0}", "{stop_after: 0, " + key + "}");
      refused("training options", SmallTraining.MODEL, plateau);
    }
    refused(
        "model, training options",
        SmallTraining.MODEL.replace("rank: 3", "rank: 4"),
        SmallTraining.WHOLE_TABLE);
    try (SmallTraining other = new SmallTraining(folder, 2)) {
      Fingerprint data = Fingerprint.of(session, other.train, Optional.of(small.valid));
      assertDiffers("training data", new Checkpoint(file, data, session));
      Fingerprint both = Fingerprint.of(session, other.train, Optional.empty());
      assertDiffers("training data, validation data", new Checkpoint(file, both, session));
    }
  }

  private void refused(String part, String model, String training) {
    try (TrainSession other = small.session(model, training)) {
      assertDiffers(part, checkpoint(other));
    }
  }

  private void assertDiffers(String parts, Checkpoint checkpoint) {
    assertThatThrownBy(checkpoint::read)
        .isInstanceOf(IOException.class)
        .hasMessage(
            file
                + " is of another training, it differs in: "
                + parts
                + "; remove it to start afresh");
  }

  /** The same configuration whose graph another build makes otherwise. */
  @Test
  void read_ofAnotherBuildsGraph_isRefused() {
    Fingerprint now = fingerprint(session);
    Fingerprint other =
        new Fingerprint(
            now.schema(),
            now.model(),
            now.graph() + 1,
            now.training(),
            now.data(),
            now.validation());
    assertDiffers(
        "training graph, which another build of the program made",
        new Checkpoint(file, other, session));
  }

  @Test
  void read_otherThreadsEpochsAndInterval_isTakenOver() throws IOException {
    String training =
        SmallTraining.TOUCHED
            .replace("threads: 2", "threads: 1")
            .replace("epochs: 3", "epochs: 30")
            .replace("checkpoint_every: 3ms", "checkpoint_every: 1h");
    try (TrainSession other = small.session(SmallTraining.MODEL, training)) {
      assertThat(checkpoint(other).read()).isEqualTo(POSITION);
    }
  }
}
