package dev.wukong.training;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The tensors over the memory of weights and statistics, made once for all runs. The threads of a
 * run share them.
 */
final class WeightTensors {
  private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();

  /** The tensors of {@code states}, closed with {@code opened}. */
  WeightTensors(Opened opened, WeightState... states) throws OrtException {
    for (WeightState state : states) {
      for (Map.Entry<String, WeightState.Place> e : state.places().entrySet()) {
        long[] shape = e.getValue().shape().sizes();
        tensors.put(e.getKey(), opened.add(Run.tensor(state.buffer(e.getKey()), shape)));
      }
    }
  }

  /** Gives every weight and statistic under its own name. */
  void bind(Run run) {
    tensors.forEach(run::sharedInput);
  }
}
