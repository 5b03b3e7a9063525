package dev.wukong.serving.joining;

import dev.wukong.data.Hash;
import dev.wukong.serving.events.PredictionId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Which negatives are kept: each is, or is not, whenever that is asked and by whom. */
final class NegativeShare {
  private NegativeShare() {}

  /**
   * Whether a negative is kept.
   *
   * @param position of the candidate in the request
   * @param share of all that are
   */
  static boolean keeps(PredictionId id, int position, String task, double share) {
    byte[] name = task.getBytes(StandardCharsets.UTF_8);
    byte[] key =
        ByteBuffer.allocate(PredictionId.BYTES + Integer.BYTES + name.length)
            .putLong(id.high())
            .putLong(id.low())
            .putInt(position)
            .put(name)
            .array();
    return Hash.fraction(Hash.of(key)) < share;
  }
}
