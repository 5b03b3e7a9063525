package dev.wukong.serving.security;

import dev.wukong.bundle.Sha256;
import dev.wukong.data.FileProblem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of tokens: {@code name:token} a line, or {@code name:sha256=<64 hex digits>}; several of
 * one name may hold at a time. It is read again when it has changed. Tokens are kept as digests
 * alone. Any thread.
 */
public final class TokenFile {
  private static final Logger log = LoggerFactory.getLogger(TokenFile.class);

  /** What can be guessed protects nothing. */
  private static final int SHORTEST = 16;

  private static final int LARGEST = 1 << 20;
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Pattern LINE = Pattern.compile("([A-Za-z0-9_.-]{1,64}):(\\S+)");
  private static final Pattern DIGEST = Pattern.compile("sha256=([0-9a-fA-F]{64})");

  /** A token, by its digest. */
  private record Token(String name, byte[] digest) {}

  /** How a file is known to be the one that was read. */
  private record Stamp(FileTime time, long size, @Nullable Object key) {
    static Stamp of(Path file) throws IOException {
      BasicFileAttributes of = Files.readAttributes(file, BasicFileAttributes.class);
      return new Stamp(of.lastModifiedTime(), of.size(), of.fileKey());
    }
  }

  private record Read(Stamp stamp, List<Token> tokens) {}

  private final Path file;
  private final LongSupplier nanos;
  private final AtomicLong looked;
  private volatile Read read;

  /** What was said of a file that is wrong; empty where it is not. */
  private volatile String said = "";

  private TokenFile(Path file, LongSupplier nanos, Read read) {
    this.file = file;
    this.nanos = nanos;
    this.looked = new AtomicLong(nanos.getAsLong());
    this.read = read;
  }

  /**
   * Reads a file.
   *
   * @param nanos a {@link System#nanoTime}: the file is looked at once a second at most
   * @throws IllegalArgumentException where it cannot be read, or a line is wrong; no token is in
   *     the message
   */
  public static TokenFile open(Path file, LongSupplier nanos) {
    try {
      return new TokenFile(file, nanos, read(file));
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "'%s', which cannot be read: %s".formatted(file, FileProblem.describe(e)), e);
    }
  }

  private static Read read(Path file) throws IOException {
    Stamp stamp = Stamp.of(file);
    if (stamp.size() > LARGEST) {
      throw new IllegalArgumentException(
          "'%s', which has %d bytes, at most %d are allowed"
              .formatted(file, stamp.size(), LARGEST));
    }
    List<Token> tokens = new ArrayList<>();
    int number = 0;
    for (String text : Files.readAllLines(file, StandardCharsets.UTF_8)) {
      number++;
      String line = text.strip();
      if (!line.isEmpty() && !line.startsWith("#")) {
        tokens.add(token(file, number, line));
      }
    }
    return new Read(stamp, List.copyOf(tokens));
  }

  private static Token token(Path file, int number, String line) {
    Matcher parts = LINE.matcher(line);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          ("'%s', whose line %d is not <name>:<token> or <name>:sha256=<64 hex digits>, with a name"
                  + " of 1 to 64 of a-z, A-Z, 0-9, '_', '.' and '-'")
              .formatted(file, number));
    }
    Matcher digest = DIGEST.matcher(parts.group(2));
    if (digest.matches()) {
      return new Token(parts.group(1), HexFormat.of().parseHex(digest.group(1)));
    }
    if (parts.group(2).length() < SHORTEST) {
      throw new IllegalArgumentException(
          "'%s', whose line %d has a token of %d characters, allowed are %d or more"
              .formatted(file, number, parts.group(2).length(), SHORTEST));
    }
    return new Token(parts.group(1), digest(parts.group(2)));
  }

  /** The digest of a token as a caller shows it. */
  static byte[] digest(String token) {
    return Sha256.digest().digest(token.getBytes(StandardCharsets.UTF_8));
  }

  /** The name of the token with this digest; null where there is none. */
  @Nullable String name(byte[] digest) {
    String found = null;
    // To the end, whichever it is: how long it takes says nothing.
    for (Token token : current().tokens()) {
      if (MessageDigest.isEqual(token.digest(), digest)) {
        found = token.name();
      }
    }
    return found;
  }

  private Read current() {
    long before = looked.get();
    long now = nanos.getAsLong();
    if (now - before >= LOOK_NANOS && looked.compareAndSet(before, now)) {
      try {
        if (!Stamp.of(file).equals(read.stamp())) {
          read = read(file);
          log.info("{} has changed: {} tokens hold", file, read.tokens().size());
        }
        said = "";
      } catch (IOException e) {
        say("%s cannot be read, what it held before holds: %s".formatted(file, e));
      } catch (IllegalArgumentException e) {
        say("tokens are in %s; what it held before holds".formatted(e.getMessage()));
      }
    }
    return read;
  }

  /** Once, for it stays wrong until somebody mends it. */
  private void say(String wrong) {
    if (!wrong.equals(said)) {
      said = wrong;
      log.error("{}", wrong);
    }
  }
}
