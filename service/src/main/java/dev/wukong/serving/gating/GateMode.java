package dev.wukong.serving.gating;

/** When what was learned becomes visible. */
public enum GateMode {
  /** At once, with each commit; it is taken back where it turns out to be worse. */
  DIRECT,
  /** Once it has shown to be no worse, on what came after it was learned. */
  GATED,
  /** Never by itself: it is only compared. */
  SHADOW
}
