package dev.wukong.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class BenchCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(String... arguments) {
    return new CommandLine(new BenchCommand())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  @Test
  void bench_list_succeedsInSilence() {
    assertThat(execute("list", "--seed-bug=", "--options=")).isZero();
    assertThat(err.toString()).isEmpty();
    assertThat(out.toString()).contains("train-step", "frappe-step", "reproduce", "scaling");
  }

  @Test
  void bench_unknownName_saysWhichThereAre() {
    assertThat(execute("no-such-benchmark")).isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString()).contains("'no-such-benchmark'").contains("there are:");
  }

  @Test
  void bench_severalNames_runsEach() {
    assertThat(execute("no-such-benchmark, nor-this")).isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString()).contains("'no-such-benchmark'").contains("'nor-this'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"minutes", "=5", "minutes=5,,"})
  void bench_optionWithoutAName_isRefused(String options) {
    assertThat(execute("no-such-benchmark", "--options=" + options))
        .isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString()).contains("must be written NAME=VALUE");
  }
}
