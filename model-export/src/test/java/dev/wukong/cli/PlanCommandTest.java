package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.figures.LoadModel;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlanCommandTest {
  private static final String TABLE = "--table 1000000:16:1:0 --table 5000000:16:0:2";

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder = Path.of("");

  private int plan(String arguments) {
    List<String> all = new ArrayList<>(List.of("plan"));
    all.addAll(Arrays.asList(arguments.strip().split(" +", -1)));
    return Typed.execute(out, err, all.toArray(String[]::new));
  }

  @Test
  void plan_bundle_measuresItsGraphAndSaysWhatToSet() throws Exception {
    Path _ = LoadModel.SMALL.write(folder, 1, 27 * 20);
    assertThat(plan(folder.resolve("small") + " --requests 200 --candidates 100 --growth 1000"))
        .as(() -> err.toString())
        .isZero();
    assertThat(out.toString())
        .contains("540,000 rows in 27 tables", "a candidate takes ", " us of a core in the graph")
        .contains("20,000 candidates a second", "2,100 examples a second", "3 copies")
        .contains("# values.yaml\nreplicas: ")
        .contains("kafka: {addresses: [], partitions: 8, replication: 3}")
        .contains("online: {model: small, sample: 1, commit-every: 1000ms");
  }

  @Test
  void plan_noBundle_goesByWhatIsSaid() {
    assertThat(
            plan(
                TABLE
                    + " --dense 100000 --graph-micros 10 --requests 1000 --candidates 200 --cores 8"
                    + " --busy 0.5 --spare 2 --seen 5 --labels 0"))
        .isZero();
    assertThat(out.toString())
        .contains("6,000,000 rows in 2 tables, 100,000 dense weights; a candidate takes 10.00 us")
        .contains("8 cores each, of which 50 % may be busy; 2 may be away; one of them")
        .contains("5,000 examples a second");
  }

  /** What the values say is what was planned, so that nobody has to set it again. */
  @Test
  void plan_trainerOfItsOwn_isInTheValues() {
    assertThat(
            plan(
                TABLE
                    + " --dense 1000 --graph-micros 2 --requests 2000 --candidates 500 --cores 1"
                    + " --busy 0.9 --seen 2 --labels 0 --logged 0.25 --commit-every 0.5"))
        .isZero();
    String values = out.toString().substring(out.toString().indexOf("# values.yaml"));
    assertThat(out.toString()).containsPattern("trainers of their own +1 ");
    assertThat(values)
        .contains("trainer: {separate: true, resources: {requests: {cpu: \"1\", ")
        .contains("online: {share: 1}")
        .contains("online: {model: MODEL, sample: 0.25, commit-every: 500ms}");
  }

  @Test
  void plan_oneMachineSuffices_noClusterIsAskedFor() {
    assertThat(
            plan(
                TABLE
                    + " --dense 1000 --graph-micros 2 --requests 10 --candidates 100 --seen 1"
                    + " --spare 0"))
        .isZero();
    assertThat(out.toString()).contains("# values.yaml\nreplicas: 1\n").doesNotContain("cluster:");
  }

  @Test
  void plan_moreThanOneThreadLearns_saysWhatItCould() {
    assertThat(
            plan(
                TABLE
                    + " --dense 1000 --graph-micros 2 --requests 5000 --candidates 500 --seen 10"
                    + " --cores 16"))
        .isZero();
    assertThat(out.toString()).containsPattern("Log less \\(--logged 0\\.1[0-9]\\)");
  }

  /** As any other command line that lacks something. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--requests 10; there is no BUNDLE, want one, or --table, --dense and --graph-micros",
        "--requests 10 --table 5:5:1:1 --graph-micros 1; there is no BUNDLE, want one, or --table,",
        "--requests 10 --table 5:5:1:1 --dense 1 --graph-micros 1 --growth 2; --growth is given"
            + " without a BUNDLE",
        "none --requests 10 --table 5:5:1:1; BUNDLE and --table are both given, want one of them",
        "none --requests 10 --dense 5; BUNDLE and --dense are both given, want one of them"
      })
  void plan_incomplete_isUsage(String arguments, String named) {
    assertThat(plan(arguments)).isEqualTo(2);
    assertThat(err.toString()).contains(named);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--requests 0; --requests is 0, want 0.001 to 10000000",
        "--requests 10 --candidates 0; --candidates is 0, want 1 to 1048576",
        "--requests 10 --candidates 10 --seen 11; --seen is 11, want 0 to 10",
        "--requests 10 --labels=-1; --labels is -1, want 0 to 100",
        "--requests 10 --logged 2; --logged is 2, want 0.0001 to 1",
        "--requests 10 --busy 2; --busy is 2, want 0.05 to 1",
        "--requests 10 --cores 0; --cores is 0, want 0.1 to 1024",
        "--requests 10 --resident 1.5; --resident is 1.5, want 0 to 1",
        "--requests 10 --commit-every 0; --commit-every is 0, want 0.01 to 3600",
        "--requests 10 --skew 9; --skew is 9, want 0 to 3",
        "--requests 10 --replication 0; --replication is 0, want 1 to 9",
        "--requests 10 --graph-micros 0; --graph-micros is 0, want 0.01 to 1000000",
        "--requests 10 --graph-micros NaN; --graph-micros is NaN, want 0.01 to 1000000",
        "--requests 10 --dense 0; --dense is 0, want 1 to 1000000000000",
        "--requests 10 --table 5; --table is '5', want ROWS:WIDTH:CONTEXT:CANDIDATE such as",
        "--requests 10 --table 0:16:1:0; --table is '0:16:1:0': the table's number of rows is 0,"
            + " want 1 to",
        "--requests 10 --table 1:99999:1:0; the table's width is 99999, want 1 to 65536",
        "--requests 10 --table 1:9:99999:0; the number of its ids in a context is 99999, want 0",
        "--requests 10 --table 1:9:0:99999; the number of its ids in a candidate is 99999, want 0",
        "--requests 10 --table 1:9:0:0; no context and no candidate has an id of the table",
        "--requests 10 --cores 0.1 --table 9999999:64:9:90; to follow commits takes",
      })
  void plan_mistake_isOneLineThatNamesIt(String arguments, String named) {
    assertThat(plan(described(arguments))).isEqualTo(1);
    assertThat(err.toString().strip().lines()).hasSize(1);
    assertThat(err.toString()).contains(named);
  }

  /** With what describes a model, where it is not said. */
  private static String described(String arguments) {
    String all = arguments;
    for (String part : List.of("--table 1000:16:1:0", "--dense 1000", "--graph-micros 5")) {
      boolean said = arguments.contains(part.substring(0, part.indexOf(' ')));
      all += said ? "" : " " + part;
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "NaN"})
  void plan_growthOfNoBundleThatIs_isRefusedByItsBounds(String growth) {
    assertThat(plan("none --requests 10 --growth=" + growth)).isEqualTo(1);
    assertThat(err.toString()).contains("--growth is ", "want 0.01 to 1000000");
  }

  @Test
  void plan_noSuchBundle_isNamed() {
    assertThat(plan("none --requests 10")).isEqualTo(1);
    assertThat(err.toString()).contains("there is no bundle folder 'none'");
  }
}
