package dev.wukong.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/** What came of a run. */
public sealed interface Result permits Outcome, Failure {
  Identity identity();

  /**
   * What a run is of: another of these is another run.
   *
   * @param run its name
   * @param series what it is compared within; may be empty
   * @param configuration all of it as written
   * @param model the model's section whole, defaults included
   * @param data the encoded splits
   */
  record Identity(
      String study,
      String run,
      String series,
      int seed,
      JsonNode configuration,
      JsonNode model,
      DataPrint data) {

    /** What they are called together: {@code dcnv2-s2021}. */
    String label() {
      return run + "-s" + seed;
    }

    /**
     * The keys of the configuration that differ from {@code before}, each with both values; empty
     * where none does that a model depends on.
     */
    List<String> differences(Identity before) {
      Map<String, String> now = flat(configuration);
      Map<String, String> then = flat(before.configuration);
      List<String> result = new ArrayList<>();
      TreeMap<String, String> all = new TreeMap<>(then);
      all.putAll(now);
      for (String key : all.keySet()) {
        String old = then.getOrDefault(key, "absent");
        String own = now.getOrDefault(key, "absent");
        if (!own.equals(old)) {
          result.add("%s was %s and is %s".formatted(key, old, own));
        }
      }
      if (result.isEmpty() && !model.toString().equals(before.model.toString())) {
        result.add("the model's defaults, which another build of the program has otherwise");
      }
      if (!data.equals(before.data)) {
        result.add("the data");
      }
      return result;
    }

    private static Map<String, String> flat(JsonNode configuration) {
      Map<String, String> result = new TreeMap<>();
      flat("", configuration, result);
      // A run with other threads is the same but for the last bits of sums.
      result.remove("training.threads");
      result.remove("training.checkpoint_every");
      return result;
    }

    private static void flat(String path, JsonNode node, Map<String, String> into) {
      if (node.isObject() && !node.isEmpty()) {
        node.forEachEntry(
            (key, value) -> flat(path.isEmpty() ? key : path + "." + key, value, into));
      } else {
        into.put(path, node.toString());
      }
    }
  }

  /**
   * The encoded data: hexadecimal fingerprints and rows.
   *
   * @param trainRows examples of an epoch
   */
  record DataPrint(
      String train, String valid, String test, long trainRows, long validRows, long testRows) {}
}
