package dev.wukong.data;

/**
 * What encoding met and did not refuse. Counts values (a row's position of one feature). Not
 * thread-safe: one for each request or pass.
 */
public final class EncodingCounts {
  private long unseen;
  private long missing;
  private long truncated;

  void addUnseen() {
    unseen++;
  }

  void addMissing() {
    missing++;
  }

  void addTruncated(long values) {
    truncated += values;
  }

  /** Adds what {@code other} counted. */
  public void add(EncodingCounts other) {
    unseen += other.unseen;
    missing += other.missing;
    truncated += other.truncated;
  }

  /** Values that the vocabulary does not have. */
  public long unseen() {
    return unseen;
  }

  /** Absent values: of single-valued id features and of optional numbers. */
  public long missing() {
    return missing;
  }

  /** Values dropped because a row had more than the feature's {@code maxIds}. */
  public long truncated() {
    return truncated;
  }

  @Override
  public String toString() {
    return "unseen %d, missing %d, truncated %d".formatted(unseen, missing, truncated);
  }
}
