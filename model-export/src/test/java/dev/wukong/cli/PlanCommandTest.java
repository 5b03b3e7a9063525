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
        .contains("kafka: {addresses: [], partitions: 8, replication: 3}");
  }

  @Test
  void plan_noBundle_goesByWhatIsSaid() {
    assertThat(
            plan(
                TABLE
                    + " --graph-micros 10 --requests 1000 --candidates 200 --cores 8 --busy 0.5"
                    + " --spare 2 --seen 5 --labels 0"))
        .isZero();
    assertThat(out.toString())
        .contains("6,000,000 rows in 2 tables, 100,000 dense weights; a candidate takes 10.00 us")
        .contains("8 cores each, of which 50 % may be busy; 2 may be away; one trains")
        .contains("5,000 examples a second");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--requests 0; --requests is 0, want 0.001 to 10000000",
        "--requests 10 --candidates 0; --candidates is 0, want 1 to 1048576",
        "--requests 10 --candidates 10 --seen 11; --seen is 11, want 0 to 10",
        "--requests 10 --labels=-1; --labels is -1, want 0 to 100",
        "--requests 10 --logged 2; --logged is 2, want 0 to 1",
        "--requests 10 --busy 2; --busy is 2, want 0.05 to 1",
        "--requests 10 --cores 0; --cores is 0, want 0.1 to 1024",
        "--requests 10 --resident 1.5; --resident is 1.5, want 0 to 1",
        "--requests 10 --commit-every 0; --commit-every is 0, want 0.01 to 3600",
        "--requests 10 --skew 9; --skew is 9, want 0 to 3",
        "--requests 10 --replication 0; --replication is 0, want 1 to 9",
        "--requests 10; there is no BUNDLE, want one, or --table and --graph-micros",
        "--requests 10 --graph-micros 5 --table 5; --table is '5', want"
            + " ROWS:WIDTH:CONTEXT:CANDIDATE such as",
        "--requests 10 --graph-micros 5 --table 0:16:1:0; rows of a --table is 0, want 1 to",
        "--requests 10 --cores 0.1 --graph-micros 5 --table 9999999:64:9:90; to follow commits"
            + " takes",
        "none --requests 10; there is no bundle folder 'none'",
        "none --requests 10 --table 5:5:1:1; BUNDLE and --table are both given, want one"
      })
  void plan_mistake_isOneLineThatNamesIt(String arguments, String named) {
    assertThat(plan(arguments)).isEqualTo(1);
    assertThat(err.toString().strip().lines()).hasSize(1);
    assertThat(err.toString()).contains(named);
  }
}
