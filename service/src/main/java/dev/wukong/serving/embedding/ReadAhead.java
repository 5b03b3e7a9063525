package dev.wukong.serving.embedding;

/**
 * Memory that is read before it is needed, so that the processor fetches many pieces at once. Java
 * has no word for that but reading; and what is read must be used, or the compiler leaves it out.
 */
final class ReadAhead {
  private static final long NEVER = 0x5E11_0F0F_1234_5678L;

  private ReadAhead() {}

  /** Uses the sum of what was read. */
  static void use(long sum) {
    if (sum == NEVER) {
      Thread.onSpinWait();
    }
  }
}
