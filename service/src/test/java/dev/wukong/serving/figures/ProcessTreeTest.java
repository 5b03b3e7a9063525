package dev.wukong.serving.figures;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.figures.ProcessTree.Stat;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProcessTreeTest {
  @Test
  void stat_nameWithBlanksAndBrackets_readsWhatStandsBehindIt() {
    Stat stat =
        Stat.parse("4711 (ray::x (a) b) S 1 4000 3999 0 -1 4194560 9 8 7 6 150 25 40 30 20 0 1\n");
    assertThat(stat.session()).isEqualTo(3999);
    assertThat(stat.cpuSeconds()).isEqualTo(1.75);
  }

  @Test
  void pids_childThatLostItsParent_isFoundByTheSessionAndEnded() throws Exception {
    // The inner shell ends at once and leaves its child to the machine's first process.
    Process root =
        start("setsid", "sh", "-c", "sh -c 'sleep 600 >&- 2>&- & echo $!'; exec sleep 600");
    ProcessTree tree = new ProcessTree(root.toHandle());
    try {
      long orphan = Long.parseLong(line(root));
      assertThat(tree.pids()).contains(root.pid(), orphan);
      tree.end();
      assertThat(tree.pids()).isEmpty();
      assertThat(ProcessHandle.of(orphan).filter(ProcessHandle::isAlive)).isEmpty();
    } finally {
      tree.end();
    }
  }

  @Test
  void end_processThatIgnoresTheRequestsOfItsParent_takesItsChildrenToo() throws Exception {
    Process root = start("setsid", "sh", "-c", "setsid sleep 600 >&- 2>&- & echo $!; wait");
    ProcessTree tree = new ProcessTree(root.toHandle());
    try {
      long child = Long.parseLong(line(root));
      tree.end();
      assertThat(ProcessHandle.of(child).filter(ProcessHandle::isAlive)).isEmpty();
    } finally {
      tree.end();
    }
  }

  @Test
  void cpuSeconds_childThatComputes_counts() throws Exception {
    Process root =
        start(
            "setsid",
            "sh",
            "-c",
            "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo; read x'");
    ProcessTree tree = new ProcessTree(root.toHandle());
    try {
      Map<Long, Double> none = Map.of();
      line(root);
      assertThat(tree.cpuSecondsSince(none)).isPositive();
      assertThat(tree.cpuSecondsSince(tree.cpuSeconds())).isBetween(0.0, 0.05);
    } finally {
      tree.end();
    }
  }

  private static Process start(String... command) throws IOException {
    return new ProcessBuilder(List.of(command)).start();
  }

  private static String line(Process process) throws IOException {
    BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
    return String.valueOf(lines.readLine());
  }
}
