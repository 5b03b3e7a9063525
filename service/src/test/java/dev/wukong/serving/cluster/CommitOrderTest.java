package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.cluster.CommitOrder.Meaning;
import dev.wukong.serving.cluster.CommitRecord.Begun;
import dev.wukong.serving.cluster.CommitRecord.Made;
import dev.wukong.serving.cluster.CommitRecord.Piece;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommitOrderTest {
  private static Begun begun(long epoch) {
    return new Begun("ctr", 0, epoch, "replica");
  }

  private static Made made(long epoch, long sequence) {
    return new Made("ctr", 0, epoch, sequence, 1, 0, List.of(), List.of());
  }

  /** What each of {@code records} means to one who reads them all. */
  private static List<Meaning> read(CommitRecord... records) {
    List<Meaning> meanings = new ArrayList<>();
    CommitOrder order = CommitOrder.NONE;
    for (CommitRecord record : records) {
      Meaning meaning = order.of("ctr", record);
      order = order.after(order.next(), record, meaning);
      meanings.add(meaning);
    }
    return meanings;
  }

  @Test
  void of_oneTrainer_allOfItsCommitsHappen() {
    assertThat(read(begun(1), made(1, 1), made(1, 2)))
        .containsExactly(Meaning.BEGUN, Meaning.HAPPENED, Meaning.HAPPENED);
  }

  @Test
  void of_trainerThatIsNoneAnyMore_nothingOfItHappensAfterTheNextHasBegun() {
    assertThat(
            read(
                begun(1),
                made(1, 1),
                begun(2),
                made(1, 2), // It stood still, and wakes.
                made(2, 2),
                made(1, 3),
                begun(1),
                begun(2),
                made(2, 3)))
        .containsExactly(
            Meaning.BEGUN,
            Meaning.HAPPENED,
            Meaning.BEGUN,
            Meaning.STALE,
            Meaning.HAPPENED,
            Meaning.STALE,
            Meaning.STALE,
            Meaning.STALE,
            Meaning.HAPPENED);
  }

  @Test
  void of_commitOfTheOldTrainerBeforeTheNextHasBegun_happens() {
    assertThat(read(begun(1), made(1, 1), made(1, 2), begun(2), made(2, 3)))
        .doesNotContain(Meaning.STALE, Meaning.GAP);
  }

  @Test
  void of_commitThatIsMissing_isSeen() {
    assertThat(read(begun(1), made(1, 1), made(1, 3)))
        .containsExactly(Meaning.BEGUN, Meaning.HAPPENED, Meaning.GAP);
    // One whose beginning was not read, either.
    assertThat(read(begun(1), made(1, 1), made(2, 2)))
        .containsExactly(Meaning.BEGUN, Meaning.HAPPENED, Meaning.GAP);
  }

  @Test
  void of_recordOfAnotherModelOrPart_isNoMatter() {
    assertThat(
            read(
                begun(1),
                new Begun("other", 0, 7, "replica"),
                new Made("other", 0, 7, 5, 1, 0, List.of(), List.of()),
                new Begun("ctr", 1, 7, "replica"),
                made(1, 1)))
        .containsExactly(
            Meaning.BEGUN, Meaning.OTHER, Meaning.OTHER, Meaning.OTHER, Meaning.HAPPENED);
  }

  @Test
  void read_whatWasPut_isTheSame() {
    try (HeapRowStore store = new HeapRowStore()) {
      assertThat(CommitOrder.read(store, "ctr")).isEqualTo(CommitOrder.NONE);
      CommitOrder order = new CommitOrder(9, 3, 7);
      store.apply(new RowCommit(new RowsView("ctr", 5, 1), List.of()), List.of(order.put()));

      assertThat(CommitOrder.read(store, "ctr")).isEqualTo(order);
      assertThat(CommitOrder.read(store, "other")).isEqualTo(CommitOrder.NONE);
    }
  }

  @Test
  void record_asBytesAndBack_isTheSame() {
    Piece piece = new Piece(3, 1L << 40, 17, CommitRecord.digest(new byte[17]));
    Made made = new Made("ctr", 2, 5, 8, 11, 1_700_000_000_000L, List.of(piece), List.of());
    assertThat(CommitRecord.of(made.bytes())).usingRecursiveComparison().isEqualTo(made);
    assertThat(CommitRecord.of(begun(4).bytes())).isEqualTo(begun(4));
    assertThat(piece.is(new byte[17])).isTrue();
    assertThat(piece.is(new byte[18])).isFalse();
    assertThat(piece.is(new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})).isFalse();
  }

  @Test
  void record_cutShortOrDamaged_isRefused() {
    Piece piece = new Piece(3, 9, 17, CommitRecord.digest(new byte[17]));
    byte[] bytes = new Made("ctr", 0, 5, 8, 11, 0, List.of(piece), List.of(piece)).bytes();
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> CommitRecord.of(cut)).isInstanceOf(CommitException.class);
    }
    assertThatThrownBy(() -> CommitRecord.of(Arrays.copyOf(bytes, bytes.length + 1)))
        .isInstanceOf(CommitException.class)
        .hasMessageContaining("bytes too many");
    byte[] later = bytes.clone();
    later[0] = 2;
    assertThatThrownBy(() -> CommitRecord.of(later))
        .isInstanceOf(CommitException.class)
        .hasMessage("a record of a commit has format 2, this build reads 1");
  }
}
