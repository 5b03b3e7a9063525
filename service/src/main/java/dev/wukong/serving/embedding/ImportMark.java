package dev.wukong.serving.embedding;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a store remembers of how far a bundle's rows have come.
 *
 * @param text the digest of their source where all are there, else up to which key of it they are
 */
record ImportMark(String text) {
  /** Before the key up to which rows are there, in place of a bundle's digest. */
  static final String PARTLY = "up to ";

  private static final String OF = " of ";

  /** All rows from {@code digest} are there. */
  static ImportMark complete(String digest) {
    return new ImportMark(digest);
  }

  /** Rows from {@code digest} up to {@code key} are there; {@link BulkRows#NOTHING}: none yet. */
  static ImportMark partly(String digest, long key) {
    return new ImportMark(PARTLY + key + OF + digest);
  }

  /** The digest that all rows are from, if they are there. */
  Optional<String> complete() {
    return text.startsWith(PARTLY) ? Optional.empty() : Optional.of(text);
  }

  /** Up to which key rows from {@code digest} are there, if not all and not from another one. */
  OptionalLong after(String digest) {
    String end = OF + digest;
    return text.startsWith(PARTLY) && text.endsWith(end)
        ? OptionalLong.of(
            Long.parseLong(text.substring(PARTLY.length(), text.length() - end.length())))
        : OptionalLong.empty();
  }
}
