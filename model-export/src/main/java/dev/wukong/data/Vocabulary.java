package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The values of one id space that training has seen: the n-th has the id {@link RowKey#FIRST} + n.
 * Immutable, safe for all threads. Looking up allocates nothing.
 */
public sealed interface Vocabulary permits Int64Vocabulary, StringVocabulary {
  /** The most values. */
  int MAX_SIZE = 1 << 28;

  /**
   * The vocabulary whose {@link #values} these are.
   *
   * @throws DataException if a value stands twice or does not have the type
   */
  static Vocabulary of(ValueType type, List<String> values) {
    if (values.size() > MAX_SIZE) {
      throw new DataException(
          "vocabulary has %d values; up to %d are allowed".formatted(values.size(), MAX_SIZE));
    }
    return switch (type) {
      case INT64 -> new Int64Vocabulary(Int64Vocabulary.parse(values));
      case STRING -> new StringVocabulary(values);
    };
  }

  ValueType type();

  /** How many values. */
  int size();

  /** The values as text, in the order of their ids. */
  List<String> values();

  /** The id of {@code value}, or {@link RowKey#UNSEEN}; unseen too where the values are strings. */
  long idOf(long value);

  /**
   * The id of the string in {@code length} bytes of UTF-8 from {@code offset}, or {@link
   * RowKey#UNSEEN}.
   */
  long idOf(MemorySegment utf8, long offset, int length);
}
