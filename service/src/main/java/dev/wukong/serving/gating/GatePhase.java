package dev.wukong.serving.gating;

/** What is done with what comes to be learned. */
public enum GatePhase {
  /** It is learned, and each commit is visible at once. */
  OPEN(0),
  /** It is learned, and not visible until it is promoted. */
  HOLDING(1),
  /** It is not learned: the labels are not such as any state expected. */
  QUARANTINED(2);

  private final int code;

  GatePhase(int code) {
    this.code = code;
  }

  /** Says at rest which it is; never changes. */
  byte code() {
    return (byte) code;
  }

  static GatePhase of(byte code) {
    for (GatePhase phase : values()) {
      if (phase.code == code) {
        return phase;
      }
    }
    throw new IllegalStateException("there is no phase of a gate with code " + code);
  }
}
