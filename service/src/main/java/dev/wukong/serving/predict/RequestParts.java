package dev.wukong.serving.predict;

import dev.wukong.serving.embedding.DefaultedPositions;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.inputs.ModelInputs;
import java.util.ArrayList;
import java.util.List;

/** Cuts a request into what batches take. Stateless. */
final class RequestParts {
  private RequestParts() {}

  /**
   * The request's inputs, in as few parts of equal size as have {@code most} candidates or fewer;
   * to be recycled.
   *
   * @param until a {@link System#nanoTime}: rows that have not been read by then are default ones
   */
  static List<ModelInputs> of(
      Query query, HostedModel model, int most, long until, DefaultedPositions defaulted) {
    int candidates = query.candidates().rows();
    int count = (candidates + most - 1) / most;
    List<ModelInputs> parts = new ArrayList<>(count);
    boolean ready = false;
    try {
      for (int i = 0; i < count; i++) {
        ModelInputs part = model.inputs();
        parts.add(part);
        model.prepare(
            query.context(),
            query.candidates(),
            query.contextOf(),
            (int) ((long) candidates * i / count),
            (int) ((long) candidates * (i + 1) / count),
            part,
            until,
            defaulted);
      }
      ready = true;
      return parts;
    } finally {
      if (!ready) {
        parts.forEach(ModelInputs::recycle);
      }
    }
  }
}
