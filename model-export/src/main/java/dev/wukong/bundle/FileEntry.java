package dev.wukong.bundle;

/**
 * A file of a bundle as its manifest knows it.
 *
 * @param name relative to the version's folder, with at most one {@code /}
 * @param size in bytes
 * @param sha256 64 lower-case hexadecimal digits
 */
public record FileEntry(String name, long size, String sha256) {}
