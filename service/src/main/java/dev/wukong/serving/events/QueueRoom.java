package dev.wukong.serving.events;

/**
 * What may wait to be written to the log.
 *
 * @param events how many
 * @param bytes of them all
 */
public record QueueRoom(int events, long bytes) {
  /** Checks that something fits. */
  public QueueRoom {
    if (events < 1 || bytes < 1) {
      throw new IllegalArgumentException(
          "room for %d events of %d bytes, must be at least 1 of 1".formatted(events, bytes));
    }
  }
}
