package dev.wukong.serving.gating;

/** When what was learned becomes visible. */
public enum GateMode {
  /** At once, with each commit; it is taken back where it turns out to be worse. */
  DIRECT,
  /** Once it has shown to be no worse, on what came after it was learned. */
  GATED,
  /** To a small share of requests at once, to a larger one and at last to all as it does well. */
  CANARY,
  /** Never by itself: it is only compared. */
  SHADOW
}
