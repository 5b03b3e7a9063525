package dev.wukong.training;

import dev.wukong.data.EncodedDataset;
import dev.wukong.data.Hash;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tells one training from another: a checkpoint is taken over only by a training that agrees with
 * it in all of these. How long training goes on, with how many threads and how often it writes
 * checkpoints is not part of it. (Other threads sum in another order, so the last bits of a model
 * that was resumed with them differ.)
 *
 * @param schema features and tasks
 * @param model its hyperparameters, defaults included
 * @param graph the training graph as this program builds it
 * @param training optimizers, batch, seed and schedule
 * @param data the encoded training data
 * @param validation the encoded validation data
 */
record Fingerprint(long schema, long model, long graph, long training, long data, long validation) {

  static Fingerprint of(
      TrainSession session, EncodedDataset train, Optional<EncodedDataset> valid) {
    return new Fingerprint(
        hash(session.layout().schema().toJson()),
        hash(session.model().toJson()),
        // Lowered for the CPU wherever it runs: the state is the same on all devices.
        Hash.of(
            OnnxWriter.write(session.graph().graph(), Lowering.CPU, Map.of(), Map.of())
                .toByteArray()),
        hash(session.config().recipe()),
        train.fingerprint(),
        valid.map(EncodedDataset::fingerprint).orElse(0L));
  }

  private static long hash(Object described) {
    return Hash.of(described.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** What differs from {@code other}, in words; empty where the two agree. */
  List<String> differences(Fingerprint other) {
    List<String> result = new ArrayList<>();
    if (schema != other.schema) {
      result.add("schema");
    }
    if (model != other.model) {
      result.add("model");
    }
    // Another schema or model has another graph: only where they agree it says something.
    if (graph != other.graph && result.isEmpty()) {
      result.add("training graph, which another build of the program made");
    }
    if (training != other.training) {
      result.add("training options");
    }
    // Another schema encodes the same data otherwise.
    if (schema == other.schema && data != other.data) {
      result.add("training data");
    }
    if (schema == other.schema && validation != other.validation) {
      result.add("validation data");
    }
    return result;
  }
}
