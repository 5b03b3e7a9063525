package dev.wukong.serving.predict;

import java.time.Duration;

/** Why a request gets no answer; the message is for the caller. */
abstract sealed class ServingException extends RuntimeException {
  /** Refusals are expected, many under overload, and say all in their message: no stack trace. */
  private ServingException(String message) {
    super(message, null, false, false);
  }

  /** A field is wrong. */
  static final class BadRequest extends ServingException {
    BadRequest(String message) {
      super(message);
    }
  }

  /** The message is not one of its type. */
  static final class Unreadable extends ServingException {
    Unreadable(String message) {
      super(message);
    }
  }

  /** No such model, version or label. */
  static final class Unknown extends ServingException {
    Unknown(String message) {
      super(message);
    }
  }

  /** The request was packed by another schema. */
  static final class SchemaMismatch extends ServingException {
    SchemaMismatch(String message) {
      super(message);
    }
  }

  /** Too much waits already. */
  static final class Overloaded extends ServingException {
    private final Duration retryAfter;

    /**
     * @param retryAfter when it is worth another try
     */
    Overloaded(String message, Duration retryAfter) {
      super(message);
      this.retryAfter = retryAfter;
    }

    Duration retryAfter() {
      return retryAfter;
    }
  }

  /** The deadline passed. */
  static final class DeadlinePassed extends ServingException {
    DeadlinePassed(String message) {
      super(message);
    }
  }

  /** Nothing is loaded yet, or the server stops. */
  static final class NotReady extends ServingException {
    NotReady(String message) {
      super(message);
    }
  }

  /** The caller has gone. */
  static final class Cancelled extends ServingException {
    Cancelled() {
      super("the call was cancelled");
    }
  }

  /** The model gave NaN or infinity for a candidate of the request. */
  static final class NotFinite extends ServingException {
    private final boolean byRequest;

    /**
     * @param byRequest whether a number of the request explains it
     */
    NotFinite(String message, boolean byRequest) {
      super(message);
      this.byRequest = byRequest;
    }

    boolean byRequest() {
      return byRequest;
    }
  }

  /** A defect here; its cause is logged where it happened. */
  static final class Defect extends ServingException {
    Defect(String message) {
      super(message);
    }
  }
}
