package dev.wukong.study;

/**
 * A run that came to nothing. One that is written down would again with the same configuration: its
 * arithmetic went beyond finite numbers, say, or its batch beyond what a tensor may hold.
 *
 * @param message what was met, and where
 */
public record Failure(Identity identity, String message) implements Result {}
