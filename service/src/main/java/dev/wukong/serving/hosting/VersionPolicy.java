package dev.wukong.serving.hosting;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** Which versions of a model are loaded without anybody asking for them. */
public sealed interface VersionPolicy {
  /** What settings may say. */
  String ALLOWED =
      "latest, latest:<count> of 1 or more, all, manual, and versions with '+' between, such as"
          + " 3+5";

  /**
   * The newest ones.
   *
   * @param count at least 1
   */
  record Latest(int count) implements VersionPolicy {
    public Latest {
      if (count < 1) {
        throw new IllegalArgumentException("count is %d, allowed is 1 or more".formatted(count));
      }
    }
  }

  /** Every version there is. */
  record All() implements VersionPolicy {}

  /** These and no others; none: only what operators ask for. */
  record Pinned(Set<Long> versions) implements VersionPolicy {
    public Pinned {
      versions = Set.copyOf(versions);
    }
  }

  /**
   * Reads a setting.
   *
   * @throws IllegalArgumentException where it is none of what is {@link #ALLOWED}
   */
  static VersionPolicy parse(String text) {
    if (text.equals("latest")) {
      return new Latest(1);
    }
    if (text.equals("all")) {
      return new All();
    }
    if (text.equals("manual")) {
      return new Pinned(Set.of());
    }
    try {
      if (text.startsWith("latest:")) {
        int count = Integer.parseInt(text.substring("latest:".length()));
        if (count >= 1) {
          return new Latest(count);
        }
      } else {
        Set<Long> versions =
            Arrays.stream(text.split("\\+", -1)).map(Long::parseLong).collect(Collectors.toSet());
        if (versions.stream().allMatch(version -> version >= 1)) {
          return new Pinned(versions);
        }
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(message(text), e);
    }
    throw new IllegalArgumentException(message(text));
  }

  private static String message(String text) {
    return "'%s', allowed are %s".formatted(text, ALLOWED);
  }

  /** Whether {@code version} is loaded if it is among the newest. */
  default boolean includes(long version) {
    return switch (this) {
      case Latest _, All _ -> true;
      case Pinned pinned -> pinned.versions().contains(version);
    };
  }

  /** How many of them are loaded. */
  default int most() {
    return switch (this) {
      case Latest latest -> latest.count();
      case All _, Pinned _ -> Integer.MAX_VALUE;
    };
  }
}
