package dev.wukong.serving.hosting;

/** Why an operator's wish for a model cannot be met; the message is for the caller. */
public abstract sealed class VersionException extends Exception {
  private VersionException(String message) {
    super(message);
  }

  /** No such model, version or label. */
  public static final class Unknown extends VersionException {
    public Unknown(String message) {
      super(message);
    }
  }

  /** The state of the model does not allow it. */
  public static final class NotNow extends VersionException {
    public NotNow(String message) {
      super(message);
    }
  }

  /** Too many wishes wait already. */
  public static final class Busy extends VersionException {
    public Busy(String message) {
      super(message);
    }
  }
}
