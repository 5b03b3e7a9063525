package dev.wukong.fuzzing;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * Code that reads bytes which others may have made. Whatever they are, it reads them or refuses
 * them by one of its exceptions, whose message a log can hold. Any other exception is a finding, as
 * is an input that takes all memory or forever.
 *
 * @param name lower-case letters, digits and hyphens
 * @param refusals all that it may throw
 * @param seeds inputs that it reads, from which others are made
 */
public record FuzzTarget(
    String name,
    List<Class<? extends Exception>> refusals,
    Supplier<List<byte[]>> seeds,
    Body body) {
  private static final int LONGEST_MESSAGE = 10_000;

  public FuzzTarget {
    refusals = List.copyOf(refusals);
  }

  /** One that throws a single kind of exception. */
  public FuzzTarget(
      String name, Class<? extends Exception> refusal, Supplier<List<byte[]>> seeds, Body body) {
    this(name, List.of(refusal), seeds, body);
  }

  /** Reads an input. */
  public interface Body {
    /** Throws what {@link FuzzTarget#refusals} has, where {@code input} is refused. */
    void read(byte[] input) throws Exception;
  }

  /**
   * Reads {@code input}.
   *
   * @return whether it was not refused
   * @throws AssertionError where it was refused in a way that nobody can show
   * @throws Exception that none of the refusals is
   */
  public boolean reads(byte[] input) throws Exception {
    try {
      body.read(input);
      return true;
    } catch (Exception e) {
      if (refusals.stream().noneMatch(of -> of.isInstance(e))) {
        throw e;
      }
      check(e);
      return false;
    }
  }

  private static void check(Exception refusal) {
    String message = refusal.getMessage();
    if (message == null || message.isBlank() || message.length() > LONGEST_MESSAGE) {
      throw new AssertionError("a refusal without a message, or with far too long a one", refusal);
    }
    // A line of a log is one line: what others send must not write lines of its own.
    if (message.chars().anyMatch(c -> Character.isISOControl(c) && c != '\n')) {
      throw new AssertionError("a refusal whose message has control characters", refusal);
    }
  }

  /** A text as an input. */
  public static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** An input as a text. */
  public static String text(byte[] input) {
    return new String(input, StandardCharsets.UTF_8);
  }

  /** Fails unless both are the same. */
  public static void requireSame(byte[] once, byte[] twice) {
    if (!Arrays.equals(once, twice)) {
      throw new AssertionError("what was read is not what is read again");
    }
  }
}
