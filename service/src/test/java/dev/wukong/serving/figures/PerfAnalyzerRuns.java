package dev.wukong.serving.figures;

import dev.wukong.serving.figures.ClientProgram.Said;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * perf_analyzer: a number of requests with 1, 4 and 16 in flight, with the values of real
 * candidates. It ends at its first failed request, and then all of that run count as failed.
 */
record PerfAnalyzerRuns(ClientProgram program, String target, Path folder, long each) {
  static final String INSTALL =
      "`pip install perf-analyzer` has it, where the C library is 2.38 or later; elsewhere unzip"
          + " its wheel and give the loader of a newer system in a folder DIR:"
          + " 'DIR/lib64/ld-linux-x86-64.so.2 --library-path DIR/usr/lib/x86_64-linux-gnu"
          + " perf_analyzer/bin/perf_analyzer'";

  private static final int[] IN_FLIGHT = {1, 4, 16};
  private static final Pattern VERSION = Pattern.compile("Version (\\S+ \\(commit \\w+\\))");
  private static final Pattern COUNT = Pattern.compile("Request count: (\\d+)");
  private static final Pattern ROW =
      Pattern.compile("(?m)^ *(Concurrency: \\d+, throughput: .*|p(?:50|99) latency: .*)$");

  /** Makes all runs. */
  ClientTally run(List<ClientRequest> requests, PrintWriter progress)
      throws IOException, InterruptedException {
    Said version = program.run(folder, "", "--version");
    Matcher told = VERSION.matcher(version.out() + version.err());
    ClientTally tally = new ClientTally("perf_analyzer", told.find() ? told.group(1) : "unknown");
    for (ClientRequest request : requests) {
      Path values = folder.resolve("perf-analyzer-" + request.model() + ".json");
      Files.writeString(values, request.perfAnalyzerJson());
      for (int inFlight : IN_FLIGHT) {
        measure(tally, request, values, inFlight, progress);
      }
    }
    return tally;
  }

  private void measure(
      ClientTally tally, ClientRequest request, Path values, int inFlight, PrintWriter progress)
      throws IOException, InterruptedException {
    Said said =
        program.run(
            folder,
            "",
            "-m",
            request.model(),
            "-u",
            target,
            "-i",
            "grpc",
            "--async",
            "-b",
            Integer.toString(request.candidates()),
            "--input-data",
            values.toString(),
            "--concurrency-range",
            Integer.toString(inFlight),
            "--request-count",
            Long.toString(each));
    Matcher count = COUNT.matcher(said.out());
    long made = count.find() ? Long.parseLong(count.group(1)) : 0;
    long good = said.status() == 0 ? Math.min(each, made) : 0;
    String what = "%s, %d in flight".formatted(request.model(), inFlight);
    tally.count(each, each - good, what + ": " + said.end());
    List<String> rows = ROW.matcher(said.out()).results().map(row -> row.group(1)).toList();
    progress.printf(
        "perf_analyzer, %s, %d candidates: %s%n",
        request.model(),
        request.candidates(),
        rows.isEmpty() ? what + " gave no row" : String.join("; ", rows));
    progress.flush();
  }
}
