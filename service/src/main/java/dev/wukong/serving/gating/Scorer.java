package dev.wukong.serving.gating;

/** Whose probabilities are compared. */
public enum Scorer {
  /** The last state that was promoted. */
  HEALTHY,
  /** What training has made by now. */
  CANDIDATE,
  /** What answered the request. */
  SERVED
}
