package dev.wukong.serving.predict;

import dev.wukong.data.DataException;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.hosting.HostedModel;

/**
 * Completes a request that came by another door, once it is known which version answers it: how
 * values are packed depends on that version's schema.
 */
@FunctionalInterface
public interface Packing {
  /** Of requests that clients have packed. */
  Packing NONE = (request, _) -> request;

  /**
   * {@code request}, complete. The caller's thread.
   *
   * @param request which names the model, and what the choice of a version depends on
   * @param model that answers it
   * @throws DataException if a value does not fit the schema
   */
  PredictRequest pack(PredictRequest request, HostedModel model);
}
