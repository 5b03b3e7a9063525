package dev.wukong.serving.cluster;

import dev.wukong.bundle.Sha256;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What the topic of commits says, in its order. */
sealed interface CommitRecord {
  /** Of what model; only its trainers speak of it. */
  String model();

  /** Which part of the model's rows is trained by this trainer; 0: all. */
  int shard();

  /** Who trains. */
  long epoch();

  /**
   * Somebody begins to train: whatever one with a lower epoch says after this did not happen.
   *
   * @param replica who it is
   */
  record Begun(String model, int shard, long epoch, String replica) implements CommitRecord {}

  /**
   * A commit, all of whose pieces were written before this.
   *
   * @param sequence one more than that of the commit before, whoever made that
   * @param bundle the version of the model that it changes
   * @param atMs when it was made, by the trainer's clock: milliseconds since 1970-01-01 UTC
   * @param served the pieces of what serves
   * @param remembered the pieces of what training remembers
   */
  record Made(
      String model,
      int shard,
      long epoch,
      long sequence,
      long bundle,
      long atMs,
      List<Piece> served,
      List<Piece> remembered)
      implements CommitRecord {
    public Made {
      served = List.copyOf(served);
      remembered = List.copyOf(remembered);
    }
  }

  /**
   * Where a piece stands in its topic, and what it must be.
   *
   * @param sha256 of its bytes
   */
  @SuppressWarnings("ArrayRecordComponent") // Compared where it matters.
  record Piece(int partition, long offset, int size, byte[] sha256) {
    /** Whether {@code bytes} are those that were written. */
    boolean is(byte[] bytes) {
      return bytes.length == size && Arrays.equals(digest(bytes), sha256);
    }
  }

  /** Of a piece's bytes. */
  static byte[] digest(byte[] bytes) {
    return Sha256.digest().digest(bytes);
  }

  int FORMAT = 1;
  int BEGUN = 1;
  int MADE = 2;
  int DIGEST = 32;

  /** It as a message. */
  default byte[] bytes() {
    Pieces to = new Pieces();
    to.one(FORMAT);
    switch (this) {
      case Begun begun -> {
        to.one(BEGUN);
        head(to);
        to.text(begun.replica());
      }
      case Made made -> {
        to.one(MADE);
        head(to);
        to.number(made.sequence());
        to.number(made.bundle());
        to.number(made.atMs());
        add(to, made.served());
        add(to, made.remembered());
      }
    }
    return to.all().getFirst();
  }

  private void head(Pieces to) {
    to.text(model());
    to.number(shard());
    to.number(epoch());
  }

  private static void add(Pieces to, List<Piece> pieces) {
    to.number(pieces.size());
    for (Piece piece : pieces) {
      to.number(piece.partition());
      to.number(piece.offset());
      to.number(piece.size());
      to.bytes(piece.sha256());
    }
  }

  /**
   * What {@link #bytes} made.
   *
   * @throws CommitException if it did not
   */
  static CommitRecord of(byte[] bytes) {
    PieceReader in = new PieceReader(List.of(bytes));
    int format = in.one();
    if (format != FORMAT) {
      throw new CommitException(
          "a record of a commit has format %d, this build reads %d".formatted(format, FORMAT));
    }
    int kind = in.one();
    String model = in.text();
    int shard = in.number();
    long epoch = in.longNumber();
    CommitRecord record =
        switch (kind) {
          case BEGUN -> new Begun(model, shard, epoch, in.text());
          case MADE ->
              new Made(
                  model,
                  shard,
                  epoch,
                  in.longNumber(),
                  in.longNumber(),
                  in.longNumber(),
                  pieces(in),
                  pieces(in));
          default -> throw PieceReader.damaged("its record is of kind " + kind);
        };
    if (!in.ended()) {
      throw PieceReader.damaged("its record has bytes too many");
    }
    return record;
  }

  private static List<Piece> pieces(PieceReader in) {
    int count = in.count(2 * Integer.BYTES + Long.BYTES);
    List<Piece> pieces = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Piece piece = new Piece(in.number(), in.longNumber(), in.number(), in.bytes());
      if (piece.sha256().length != DIGEST || piece.size() < 1 || piece.size() > Pieces.SIZE) {
        throw PieceReader.damaged("a piece of it has %d bytes".formatted(piece.size()));
      }
      pieces.add(piece);
    }
    return pieces;
  }
}
