package dev.wukong.serving.predict;

import dev.wukong.proto.v1.Criticality;
import java.util.Optional;

/** What a request's criticality means, and how doors that have no such type write it. */
public final class CriticalityClass {
  /** What {@link #parse} takes. */
  public static final String ALLOWED = "critical, normal and sheddable";

  private CriticalityClass() {}

  /** The share of the waiting time that requests of a class may use. */
  static double share(Criticality criticality) {
    return switch (criticality) {
      case CRITICALITY_CRITICAL -> 1;
      case CRITICALITY_NORMAL, CRITICALITY_UNSPECIFIED -> 0.8;
      case CRITICALITY_SHEDDABLE, UNRECOGNIZED -> 0.4;
    };
  }

  /** That of {@code text}; empty where it is none. */
  public static Optional<Criticality> parse(String text) {
    return switch (text) {
      case "critical" -> Optional.of(Criticality.CRITICALITY_CRITICAL);
      case "normal" -> Optional.of(Criticality.CRITICALITY_NORMAL);
      case "sheddable" -> Optional.of(Criticality.CRITICALITY_SHEDDABLE);
      default -> Optional.empty();
    };
  }
}
