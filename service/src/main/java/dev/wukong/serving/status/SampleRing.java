package dev.wukong.serving.status;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The newest samples, a fixed number of them. Any thread. */
final class SampleRing {
  private final int slots;

  /** Guarded by this. */
  private final @Nullable Sample[] ring;

  /** Samples so far. Guarded by this. */
  private long count;

  /** Room for {@code slots} samples. */
  SampleRing(int slots) {
    this.slots = slots;
    this.ring = new Sample[slots];
  }

  /** How many it keeps. */
  int slots() {
    return slots;
  }

  /** Adds a sample, whose number must be that of samples so far; the oldest makes room. */
  synchronized void add(Sample sample) {
    if (sample.number() != count) {
      throw new IllegalArgumentException(
          "sample %d after %d samples".formatted(sample.number(), count));
    }
    ring[(int) (count % slots)] = sample;
    count++;
  }

  /** The number of the newest sample; -1 where there is none. */
  synchronized long last() {
    return count - 1;
  }

  /** The samples that are still there with a number above {@code number}, oldest first. */
  synchronized List<Sample> after(long number) {
    List<Sample> samples = new ArrayList<>();
    if (number >= count) {
      return samples; // Of a process before this one, or made up.
    }
    for (long n = Math.max(Math.max(number + 1, 0), count - slots); n < count; n++) {
      samples.add(Objects.requireNonNull(ring[(int) (n % slots)]));
    }
    return samples;
  }
}
