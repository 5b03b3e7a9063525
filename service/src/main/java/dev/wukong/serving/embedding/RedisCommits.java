package dev.wukong.serving.embedding;

import io.lettuce.core.ScriptOutputType;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Writes commits to a Redis cluster. One at a time a bundle.
 *
 * @param prefix of all keys
 * @param removed so long what a removed row was before is kept
 */
record RedisCommits(RedisConnection connection, String prefix, Duration removed) {
  private static final System.Logger log = System.getLogger(RedisCommits.class.getName());

  /*
   * Nothing in a cluster writes to several slots at once. So a commit is atomic for readers through
   * its version only: its rows lie beside those they replace, where no reader of an older version
   * sees them, until the bundle's version is written, last. Before the first row the intent is
   * written: the commit's version and its keys. Whoever begins a commit and finds an intent that
   * never became the version takes those rows back first, or they would show with the next commit
   * of the same version.
   *
   * A master that fails loses what its replica did not have: rows are then older than the version
   * says, or the version is. Waiting for replicas makes that rare, not impossible.
   *
   * A removed row still says what it was before, for readers of older versions. It gets an end only
   * once its commit has ended: before, the commit may have to be taken back. Whatever is written to
   * it takes that end away again.
   */

  /** Writes all changes, or none that a reader ever sees. */
  void apply(RowCommit commit) {
    RedisKeys keys = new RedisKeys(prefix, commit.view());
    long version = storable(commit);
    begin(keys, version, intent(commit));
    long newer = write(keys, commit);
    if (newer > 0) {
      throw new StoreException(
          "writing %d rows failed: %d have a version above %d already"
              .formatted(commit.size(), newer, version),
          null);
    }
    boolean _ = connection.replicate();
    long _ =
        connection.await(
            connection.<Long>run(
                RedisScripts.END, ScriptOutputType.INTEGER, control(keys), text(version)),
            "writing the version of %s".formatted(commit.view()));
    // Where the version may be lost with a master, the commit may yet be taken back.
    if (connection.replicate()) {
      fade(keys, commit);
    }
  }

  private static long storable(RowCommit commit) {
    long version = commit.view().version();
    if (version < 0 || version > RedisValue.MAX_VERSION) {
      throw new StoreException(
          "version %d cannot be stored, allowed are 0 to %d"
              .formatted(version, RedisValue.MAX_VERSION),
          null);
    }
    return version;
  }

  /**
   * Writes the rows of a commit that others tell readers of, and that is the same whoever writes
   * it: cut short, it is written again and never taken back. What is there with a newer version
   * stays.
   *
   * @return whether replicas have it, where there are any
   */
  boolean install(RowCommit commit) {
    long _ = storable(commit);
    long _ = write(new RedisKeys(prefix, commit.view()), commit);
    return connection.replicate();
  }

  /** How many rows stayed, as they have a newer version. */
  private long write(RedisKeys keys, RowCommit commit) {
    long version = commit.view().version();
    RedisWrites writes =
        new RedisWrites(
            connection,
            keys,
            RedisScripts.INSTALL,
            version,
            "writing %d rows".formatted(commit.size()));
    for (RowCommit.Changes changes : commit.changes()) {
      int width = changes.width();
      for (int i = 0; i < changes.keys().length; i++) {
        writes.add(changes.keys()[i], RedisValue.encode(version, width, changes.rows(), i * width));
      }
      for (long key : changes.removed()) {
        writes.add(key, RedisValue.removed(version));
      }
    }
    return writes.finish();
  }

  /** Gives what removed rows were before an end, once readers are told. */
  void fade(RowCommit commit) {
    fade(new RedisKeys(prefix, commit.view()), commit);
  }

  private void fade(RedisKeys keys, RowCommit commit) {
    RedisWrites fading =
        new RedisWrites(
            connection,
            keys,
            RedisScripts.FADE,
            commit.view().version(),
            Optional.of(text(removed.toMillis())),
            "letting removed rows go");
    try {
      for (RowCommit.Changes changes : commit.changes()) {
        for (long key : changes.removed()) {
          fading.add(key);
        }
      }
      long _ = fading.finish();
    } catch (StoreException e) {
      // The commit is done; these few stay until the bundle goes.
      log.log(Level.DEBUG, "removed rows of {0} stay: {1}", commit.view(), e.getMessage());
    }
  }

  private void begin(RedisKeys keys, long version, byte[] intent) {
    byte @Nullable [] held = tryBegin(keys, version, intent);
    if (held != null) {
      undo(keys, held);
      long _ = connection.await(connection.commands().del(keys.intent()), "forgetting an intent");
      byte @Nullable [] again = tryBegin(keys, version, intent);
      if (again != null) {
        throw new StoreException("another process writes to this bundle", null);
      }
    }
  }

  /** The intent of a commit that was cut short and has not been undone; null: this one began. */
  private byte @Nullable [] tryBegin(RedisKeys keys, long version, byte[] intent) {
    return connection.await(
        connection.<byte[]>run(
            RedisScripts.BEGIN, ScriptOutputType.VALUE, control(keys), text(version), intent),
        "beginning version %d".formatted(version));
  }

  private void undo(RedisKeys keys, byte[] intent) {
    ByteBuffer held = ByteBuffer.wrap(intent).order(ByteOrder.LITTLE_ENDIAN);
    RedisWrites undo =
        new RedisWrites(
            connection,
            keys,
            RedisScripts.UNDO,
            held.getLong(),
            "taking back a commit that was cut short");
    while (held.hasRemaining()) {
      undo.add(held.getLong());
    }
    long _ = undo.finish();
    boolean _ = connection.replicate();
  }

  /** The version, and the keys of all rows. */
  private static byte[] intent(RowCommit commit) {
    ByteBuffer intent =
        ByteBuffer.allocate(Math.multiplyExact(Long.BYTES, 1 + commit.size()))
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(commit.view().version());
    for (RowCommit.Changes changes : commit.changes()) {
      for (long key : changes.keys()) {
        intent.putLong(key);
      }
      for (long key : changes.removed()) {
        intent.putLong(key);
      }
    }
    return intent.array();
  }

  private static byte[][] control(RedisKeys keys) {
    return new byte[][] {keys.version(), keys.intent()};
  }

  private static byte[] text(long version) {
    return RedisKeys.ascii(Long.toString(version));
  }
}
