package dev.wukong.serving.hosting;

import java.time.Instant;

/**
 * What a bundle version is doing.
 *
 * @param since when it began to
 */
public record VersionState(long version, Phase phase, Instant since) {
  /**
   * The life of a version, in order; only {@link Failed} can follow {@link Loading} instead of
   * {@link Serving}.
   */
  public sealed interface Phase {}

  /** Being verified, imported or warmed. */
  public record Loading() implements Phase {}

  /** Answers requests. */
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
