package dev.wukong.bundle;

import dev.wukong.text.ShownText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The right to write bundles of one model: one holder at a time among all processes of a machine.
 * It ends with the process, so whoever holds it knows that every temporary folder is a leftover.
 * Its file keeps the highest number that was given to a version, which outlives the version's
 * folder: who has kept a number out keeps out whatever has it.
 */
final class ModelLock implements AutoCloseable {
  /** What the highest number has at most, and one more digit. */
  private static final int DIGITS = 19;

  private final Path file;
  private final FileChannel channel;

  private ModelLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Takes the lock without waiting.
   *
   * @param folder the model's folder
   * @throws BundleException if another writer holds it
   */
  static ModelLock take(Path folder) throws IOException {
    Path file = folder.resolve(BundleNames.LOCK);
    FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS);
    boolean locked = false;
    try {
      FileLock lock = channel.tryLock();
      locked = lock != null;
    } catch (OverlappingFileLockException e) {
      // Held by this process: refused below like any other holder.
    } finally {
      if (!locked) {
        channel.close();
      }
    }
    if (!locked) {
      throw new BundleException(
          "%s: another writer is at work, one bundle of a model is written at a time"
              .formatted(folder));
    }
    return new ModelLock(file, channel);
  }

  /**
   * The highest number that was {@linkplain #given}; 0: none was.
   *
   * @throws BundleException if the file holds something else
   */
  long newest() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(DIGITS);
    for (int at = 0; bytes.hasRemaining(); ) {
      int read = channel.read(bytes, at);
      if (read < 0) {
        break;
      }
      at += read;
    }
    String text = StandardCharsets.ISO_8859_1.decode(bytes.flip()).toString().stripTrailing();
    if (!text.isEmpty() && !BundleNames.isVersion(text)) {
      throw new BundleException(
          "%s: '%s' is not the number of a version; write the highest that the model has had, or remove the file"
              .formatted(file, ShownText.of(text)));
    }
    return text.isEmpty() ? 0 : Long.parseLong(text);
  }

  /** Says durably that {@code version} was given, so that the number is not given again. */
  void given(long version) throws IOException {
    if (version <= newest()) {
      return;
    }
    // Higher numbers are never shorter, so one write at the start replaces the whole.
    ByteBuffer bytes =
        ByteBuffer.wrap(Long.toString(version).getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      int _ = channel.write(bytes, bytes.position());
    }
    channel.force(true);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
