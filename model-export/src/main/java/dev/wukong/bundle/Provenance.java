package dev.wukong.bundle;

import java.util.List;
import java.util.Map;

/**
 * Where a model comes from: enough to train it again.
 *
 * @param rows examples trained on, each counted once
 * @param versions of the software and of the machine's parts that matter, by name
 */
public record Provenance(
    long seed, List<String> dataFiles, long rows, String command, Map<String, String> versions) {
  public Provenance {
    dataFiles = List.copyOf(dataFiles);
    versions = Map.copyOf(versions);
  }
}
