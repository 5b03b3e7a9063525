package dev.wukong.runtime.device;

/** A graph that ONNX Runtime cannot load or run; the message is the library's own. */
public final class GraphException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final int ENGINE_ERROR = 5;
  private static final int RUNTIME_EXCEPTION = 6;
  private static final int EP_FAIL = 11;

  private final boolean passing;

  /**
   * A refusal.
   *
   * @param code the library's number for it
   */
  GraphException(String message, int code) {
    super(message);
    this.passing = code == ENGINE_ERROR || code == RUNTIME_EXCEPTION || code == EP_FAIL;
  }

  /** Whether the same may work later: what ran out, mostly memory here or on the device. */
  public boolean passing() {
    return passing;
  }
}
