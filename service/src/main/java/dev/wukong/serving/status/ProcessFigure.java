package dev.wukong.serving.status;

/** What is shown of the process over time. */
enum ProcessFigure {
  /** Processors that it kept busy since the sample before. */
  CPU("cpu"),
  /** Bytes of memory that it holds; unknown where the system is not Linux. */
  RESIDENT("resident"),
  /** Bytes of Java's heap in use, garbage included. */
  HEAP("heap"),
  /** Platform threads. */
  THREADS("threads");

  private final String key;

  ProcessFigure(String key) {
    this.key = key;
  }

  /** Its name in JSON. */
  String key() {
    return key;
  }
}
