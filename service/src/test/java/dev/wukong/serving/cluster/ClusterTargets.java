package dev.wukong.serving.cluster;

import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import dev.wukong.serving.hosting.ModelCommit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What replicas read of each other. */
public final class ClusterTargets implements FuzzTargets {
  @Override
  public List<FuzzTarget> targets() {
    ModelCommit commit = CommitBytesTest.commit();
    byte[] remembered = joined(CommitBytes.remembered(commit));
    List<byte[]> nothing =
        CommitBytes.remembered(new ModelCommit(3, 8, List.of(), List.of(), null, Map.of()));
    byte[] served = joined(CommitBytes.served(commit));
    return List.of(
        new FuzzTarget(
            "commit-record",
            CommitException.class,
            () ->
                List.of(
                    new CommitRecord.Begun("ctr", 0, 7, "replica-1").bytes(),
                    new CommitRecord.Made("ctr", 0, 7, 3, 12, 99, pieces(), pieces()).bytes()),
            input -> {
              byte[] once = CommitRecord.of(input).bytes();
              FuzzTarget.requireSame(once, CommitRecord.of(once).bytes());
            }),
        new FuzzTarget(
            "commit-served",
            CommitException.class,
            () -> List.of(served),
            input -> {
              ModelCommit _ = CommitBytes.of(List.of(input), nothing);
            }),
        new FuzzTarget(
            "commit-remembered",
            CommitException.class,
            () -> List.of(remembered),
            input -> {
              ModelCommit _ = CommitBytes.of(List.of(served), cut(input));
            }),
        new FuzzTarget(
            "checkpoint",
            CommitException.class,
            () ->
                List.of(
                    new Checkpoint(
                            Checkpoint.FORMAT,
                            "ctr",
                            4,
                            7,
                            5,
                            9,
                            "replica-1",
                            List.of(new Checkpoint.Part("000012.sst", 9, "0f".repeat(32))))
                        .bytes()),
            input -> {
              Checkpoint read = Checkpoint.of(input);
              String _ = read.name();
            }));
  }

  private static List<CommitRecord.Piece> pieces() {
    return List.of(new CommitRecord.Piece(0, 17, 400, new byte[CommitRecord.DIGEST]));
  }

  private static byte[] joined(List<byte[]> pieces) {
    byte[] all = new byte[0];
    for (byte[] piece : pieces) {
      byte[] next = Arrays.copyOf(all, all.length + piece.length);
      System.arraycopy(piece, 0, next, all.length, piece.length);
      all = next;
    }
    return all;
  }

  /** In pieces of some bytes: values lie across their ends. */
  private static List<byte[]> cut(byte[] all) {
    int half = all.length / 2;
    return List.of(Arrays.copyOf(all, half), Arrays.copyOfRange(all, half, all.length));
  }
}
