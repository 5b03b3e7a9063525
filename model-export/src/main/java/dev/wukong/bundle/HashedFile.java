package dev.wukong.bundle;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.function.Consumer;

/** A new file that is hashed while it is written, and durable once it is closed. */
final class HashedFile extends OutputStream {
  private static final int BUFFER = 1 << 18;

  private final String name;
  private final FileChannel channel;
  private final Consumer<FileEntry> onClose;
  private final MessageDigest digest = Sha256.digest();
  private long size;

  private HashedFile(String name, FileChannel channel, Consumer<FileEntry> onClose) {
    this.name = name;
    this.channel = channel;
    this.onClose = onClose;
  }

  /**
   * Creates the file.
   *
   * @param onClose gets the entry once the file's bytes are on the disk
   */
  static OutputStream create(String name, Path file, Consumer<FileEntry> onClose)
      throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    return new BufferedOutputStream(new HashedFile(name, channel, onClose), BUFFER);
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    digest.update(bytes, offset, length);
    ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
    while (buffer.hasRemaining()) {
      size += channel.write(buffer);
    }
  }

  @Override
  public void close() throws IOException {
    if (!channel.isOpen()) {
      return;
    }
    try (channel) {
      channel.force(true);
    }
    onClose.accept(new FileEntry(name, size, Sha256.hex(digest)));
  }
}
