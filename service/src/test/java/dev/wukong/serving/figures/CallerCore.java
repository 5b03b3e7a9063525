package dev.wukong.serving.figures;

import java.io.IOException;

/** Keeps all threads of this process, the caller of servers, off the server's core. */
final class CallerCore implements AutoCloseable {
  /** The core on which servers are started. */
  static final String SERVER = "0";

  private static final String CALLER = "1";

  private CallerCore() {}

  /** Puts this process on its core until it is closed; what it starts meanwhile is there, too. */
  static CallerCore take() throws IOException {
    pin(CALLER);
    return new CallerCore();
  }

  private static void pin(String cores) throws IOException {
    String pid = Long.toString(ProcessHandle.current().pid());
    Process taskset =
        new ProcessBuilder("taskset", "-apc", cores, pid)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      if (taskset.waitFor() != 0) {
        throw new IOException("taskset cannot put the caller on core " + cores);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws IOException {
    pin(SERVER + "," + CALLER);
  }
}
