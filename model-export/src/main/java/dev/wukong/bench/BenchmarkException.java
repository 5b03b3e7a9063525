package dev.wukong.bench;

/** A benchmark cannot be run, or its run is void; the message says why and what to do. */
public final class BenchmarkException extends Exception {
  private static final long serialVersionUID = 1;

  public BenchmarkException(String message) {
    super(message);
  }
}
