package dev.wukong.study;

/**
 * A run that came to nothing: with the same configuration it would again. Its arithmetic went
 * beyond finite numbers, say, or its batch beyond what a tensor may hold.
 *
 * @param message what was met, and where
 */
public record Failure(Identity identity, String message) implements Result {}
