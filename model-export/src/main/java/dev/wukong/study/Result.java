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
   * @param training all that decides what is learnt, defaults included
   * @param data the encoded splits
   */
  record Identity(
      String study,
      String run,
      String series,
      int seed,
      JsonNode configuration,
      JsonNode model,
      String training,
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
      List<String> result = configured(before);
      result.addAll(data.differences(before.data));
      return result;
    }

    /** The same without the data: of a run whose data is not open. */
    List<String> configured(Identity before) {
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
      if (result.isEmpty() && !training.equals(before.training)) {
        result.add("the training's defaults, which another build of the program has otherwise");
      }
      return result;
    }

    /** How the data is simulated; missing where it is not. */
    JsonNode simulator() {
      return configuration.path("data").path("simulator");
    }

    /**
     * What rows the test split has, as far as the configuration says: figures of two runs are
     * compared row by row only where it is the same.
     */
    String testRows() {
      JsonNode config = configuration.path("data");
      JsonNode world = simulator();
      if (world.isMissingNode()) {
        return "%s %s, %d rows"
            .formatted(config.path("test"), config.path("format"), data.testRows);
      }
      JsonNode train = world.path("train");
      JsonNode after = world.path("held_out_after");
      return "%s %s after %s and %s, %d rows"
          .formatted(
              world.path("world"),
              world.path("seed"),
              after.isMissingNode() ? train : after,
              world.path("valid"),
              data.testRows);
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
   * @param truth of the test rows' true probabilities; empty where they follow from the rest or are
   *     not known
   * @param trainRows examples of an epoch
   */
  record DataPrint(
      String train,
      String valid,
      String test,
      String truth,
      long trainRows,
      long validRows,
      long testRows) {
    /** Of data that is not open. */
    static final DataPrint UNKNOWN = new DataPrint("", "", "", "", 0, 0, 0);

    /** The splits that differ from {@code before}, each with its rows then and now. */
    List<String> differences(DataPrint before) {
      List<String> result = new ArrayList<>();
      add("training data", before.train, train, before.trainRows, trainRows, result);
      add("validation data", before.valid, valid, before.validRows, validRows, result);
      add("test data", before.test, test, before.testRows, testRows, result);
      if (result.isEmpty()) {
        add("true probabilities", before.truth, truth, before.testRows, testRows, result);
      }
      return result;
    }

    private static void add(
        String name, String then, String now, long rowsThen, long rowsNow, List<String> into) {
      if (!then.equals(now)) {
        into.add(
            rowsThen == rowsNow
                ? "%s: %,d rows as before, but other values".formatted(name, rowsNow)
                : "%s: %,d rows before, %,d now".formatted(name, rowsThen, rowsNow));
      }
    }
  }
}
