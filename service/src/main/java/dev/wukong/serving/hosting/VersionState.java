package dev.wukong.serving.hosting;

import java.time.Instant;

/**
 * What a bundle version is doing.
 *
 * @param since when it began to
 */
public record VersionState(long version, Phase phase, Instant since) {
  /**
   * The life of a version, in order, but that {@link Serving} and {@link Ready} can follow each
   * other; only {@link Failed} can follow {@link Loading} instead of {@link Ready}.
   */
  public sealed interface Phase {}

  /** Being verified, imported or warmed. */
  public record Loading() implements Phase {}

  /** Loaded: answers those who ask for it by number or label, and its share of the others. */
  public record Ready() implements Phase {}

  /** Answers those who ask for no version, too. */
  public record Serving() implements Phase {}

  /** Replaced; finishes what it began. */
  public record Draining() implements Phase {}

  /** Removed from memory. */
  public record Unloaded() implements Phase {}

  /**
   * Could not be loaded.
   *
   * @param reason for people
   */
  public record Failed(String reason) implements Phase {}
}
