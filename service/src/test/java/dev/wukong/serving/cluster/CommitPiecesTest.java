package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.cluster.CommitRecord.Piece;
import dev.wukong.serving.testing.KafkaBroker;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pieces of commits through a real broker, with those of others between them. */
class CommitPiecesTest {
  @TempDir Path folder;

  private static List<byte[]> texts(String name, int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "%s %d".formatted(name, i).getBytes(StandardCharsets.UTF_8))
        .toList();
  }

  private static void assertRead(
      CommitReader reader, Topic topic, List<Piece> wanted, List<byte[]> written) {
    assertThat(reader.read(topic, wanted).toArray(new byte[0][]))
        .isDeepEqualTo(written.toArray(new byte[0][]));
  }

  @Test
  void read_inOrderAndNot_isWhatWasWritten() throws Exception {
    try (KafkaBroker broker = KafkaBroker.start(folder.resolve("broker"))) {
      KafkaSettings settings = new KafkaSettings(List.of(broker.address()), "test", 3, 1, Map.of());
      Topics.make(settings);
      try (CommitPublisher publisher = new CommitPublisher(settings, "publisher");
          CommitReader reader = new CommitReader(settings, "reader", "ctr", CommitOrder.NONE)) {
        List<List<Piece>> served = new ArrayList<>();
        List<List<Piece>> remembered = new ArrayList<>();
        // Others lie between them: none, few, and more than are read over.
        int[] others = {0, 0, 1, 7, 0, 400, 2};
        for (int commit = 0; commit < others.length; commit++) {
          List<Piece> _ =
              publisher.pieces(Topic.DELTAS, 9, commit, texts("of others", others[commit]));
          served.add(publisher.pieces(Topic.DELTAS, 1, commit, texts("rows " + commit, commit)));
          remembered.add(publisher.pieces(Topic.STATES, 1, commit, texts("join " + commit, 4)));
        }
        for (int commit = 0; commit < others.length; commit++) {
          assertRead(reader, Topic.DELTAS, served.get(commit), texts("rows " + commit, commit));
          assertRead(reader, Topic.STATES, remembered.get(commit), texts("join " + commit, 4));
        }
        // As after another trainer's commit that did not happen.
        assertRead(reader, Topic.DELTAS, served.get(3), texts("rows 3", 3));
        assertRead(reader, Topic.DELTAS, served.get(6), texts("rows 6", 6));

        Piece first = served.get(2).getFirst();
        byte[] other = Arrays.copyOf(first.sha256(), first.sha256().length);
        other[0]++;
        Piece damaged = new Piece(first.partition(), first.offset(), first.size(), other);
        assertThatThrownBy(() -> reader.read(Topic.DELTAS, List.of(damaged)))
            .isInstanceOf(CommitException.class)
            .hasMessage(
                "the piece of a commit at offset %d of test.deltas-%d is not the one that was"
                    + " written",
                first.offset(), first.partition());
      }
    }
  }
}
