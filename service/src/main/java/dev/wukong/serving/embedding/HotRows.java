package dev.wukong.serving.embedding;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * Remembers which rows of a model were asked for most, so that a process that starts anew has them
 * in memory before it answers. A file a model; one that is damaged, or of other tables, counts as
 * none. One thread at a time.
 */
public final class HotRows {
  private static final long MAGIC = 0x57554B4F4E470001L;

  /** Keys of a group at most, of which a file is then 8 MiB. */
  static final int MOST = 1 << 20;

  private final Path folder;

  /** In {@code folder}, which need not be there yet. */
  public HotRows(Path folder) {
    this.folder = folder;
  }

  /**
   * Remembers a model's, in place of those before.
   *
   * @param model its name, which is a file's name
   * @param tables says what the keys mean
   * @param keys by group, those asked for most first
   */
  public void keep(String model, String tables, List<long[]> keys) throws IOException {
    Files.createDirectories(folder);
    Path written = folder.resolve(model + ".new");
    CRC32C sum = new CRC32C();
    try (DataOutputStream out =
        new DataOutputStream(
            new CheckedOutputStream(
                new BufferedOutputStream(Files.newOutputStream(written), 1 << 16), sum))) {
      out.writeLong(MAGIC);
      out.writeUTF(tables);
      out.writeInt(keys.size());
      for (long[] group : keys) {
        int count = Math.min(MOST, group.length);
        out.writeInt(count);
        for (int i = 0; i < count; i++) {
          out.writeLong(group[i]);
        }
      }
      out.writeLong(sum.getValue());
    }
    Files.move(
        written, file(model), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private Path file(String model) {
    return folder.resolve(model + ".keys");
  }

  /**
   * What {@link #keep} was given for a model of the same tables; empty where that was never called.
   *
   * @throws IOException if the file cannot be read, or is damaged
   */
  public List<long[]> of(String model, String tables) throws IOException {
    if (!Files.exists(file(model))) {
      return List.of();
    }
    CRC32C sum = new CRC32C();
    try (DataInputStream in =
        new DataInputStream(
            new CheckedInputStream(
                new BufferedInputStream(Files.newInputStream(file(model)), 1 << 16), sum))) {
      if (in.readLong() != MAGIC) {
        throw new IOException(file(model) + " is no list of row keys of this build");
      }
      if (!in.readUTF().equals(tables)) {
        return List.of();
      }
      List<long[]> keys = new ArrayList<>();
      for (int groups = bounded(in.readInt(), 1 << 10); groups > 0; groups--) {
        long[] group = new long[bounded(in.readInt(), MOST)];
        for (int i = 0; i < group.length; i++) {
          group[i] = in.readLong();
        }
        keys.add(group);
      }
      long read = sum.getValue();
      if (in.readLong() != read) {
        throw new IOException(file(model) + " is damaged: its checksum is another one");
      }
      return keys;
    }
  }

  private static int bounded(int count, int most) throws IOException {
    if (count < 0 || count > most) {
      throw new IOException("a count of %d, allowed are 0 to %d".formatted(count, most));
    }
    return count;
  }
}
