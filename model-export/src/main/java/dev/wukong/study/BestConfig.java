package dev.wukong.study;

import dev.wukong.data.WholeFile;
import dev.wukong.run.ConfigTree;
import java.io.IOException;
import java.nio.file.Path;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** A search's best configuration as a file that {@code train --config} takes. */
final class BestConfig {
  private BestConfig() {}

  static void write(Path file, ConfigTree tree) throws IOException {
    ObjectNode written = tree.tree().deepCopy();
    // How many threads a trial had says nothing of the machine that trains it next.
    if (written.get("training") instanceof ObjectNode training) {
      training.remove("threads");
    }
    WholeFile.write(file, YAMLMapper.builder().build().writeValueAsString(written));
  }
}
