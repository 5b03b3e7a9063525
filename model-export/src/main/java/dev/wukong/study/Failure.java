package dev.wukong.study;

/**
 * A run whose arithmetic went beyond finite numbers: with the same configuration it would again.
 *
 * @param message what was met, and where
 */
public record Failure(Identity identity, String message) implements Result {}
