package dev.wukong.serving.status;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import tools.jackson.databind.json.JsonMapper;

/**
 * The page's files with made-up answers behind them: what a real service cannot be brought to
 * within a test. Answers in a new sample at every question.
 */
final class MadeUpStatus implements AutoCloseable {
  private static final int KEEPS = 300;
  private static final long EVERY = 1000;
  private static final JsonMapper JSON = new JsonMapper();

  private final HttpServer http;
  private final Map<String, PageFile> files = PageFile.all();
  private volatile boolean answers = true;
  private final AtomicLong started = new AtomicLong(System.currentTimeMillis() - 12_345_000);
  private final AtomicLong samples = new AtomicLong(KEEPS);
  private volatile StatusReport.Readiness readiness =
      new StatusReport.Readiness("ready", List.of());
  private volatile List<StatusReport.Model> models = List.of();

  private MadeUpStatus(HttpServer http) {
    this.http = http;
  }

  /** Starts it with {@code count} models. */
  static MadeUpStatus start(int count) throws IOException {
    HttpServer http =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    MadeUpStatus status = new MadeUpStatus(http);
    List<StatusReport.Model> models = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      models.add(status.model("model-%d".formatted(i), List.of(status.version(7, "serving", ""))));
    }
    status.models = models;
    http.createContext("/", status::answer);
    http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    http.start();
    return status;
  }

  String address() {
    return "http://localhost:%d/".formatted(http.getAddress().getPort());
  }

  /** From now on answers these models. */
  void models(List<StatusReport.Model> models) {
    this.models = models;
  }

  /** From now on answers this. */
  void readiness(String state, String... reasons) {
    readiness = new StatusReport.Readiness(state, List.of(reasons));
  }

  /** Whether it answers with a status, or with an error. */
  void answers(boolean answers) {
    this.answers = answers;
  }

  /** Counts from 0 again, as a service that was restarted. */
  void restart() {
    started.addAndGet(60_000);
    samples.set(5);
  }

  /** A version since ten minutes. */
  StatusReport.Version version(long number, String state, String message) {
    boolean serves = state.equals("serving");
    return new StatusReport.Version(
        number,
        state,
        message,
        System.currentTimeMillis() - 600_000,
        serves ? List.of("stable") : List.of(),
        serves ? 1 : 0);
  }

  /** A model whose figures look like a busy one's. */
  StatusReport.Model model(String name, List<StatusReport.Version> versions) {
    long serving =
        versions.stream()
            .filter(version -> version.state().equals("serving"))
            .mapToLong(StatusReport.Version::version)
            .findFirst()
            .orElse(0);
    return new StatusReport.Model(
        name,
        serving,
        "3cc1a572b4d0".repeat(5),
        List.of("click", "conversion"),
        "fp32",
        2048,
        150,
        versions,
        List.of(),
        null,
        Map.of());
  }

  /** As {@code model}, which learns. */
  StatusReport.Model learning(StatusReport.Model model, StatusReport.Training training) {
    return new StatusReport.Model(
        model.name(),
        model.serving(),
        model.schemaId(),
        model.tasks(),
        model.precision(),
        model.maxRows(),
        model.allowedWaitMillis(),
        model.versions(),
        model.shadows(),
        training,
        model.figures());
  }

  /** As {@code model}, with labels whose versions score copies. */
  StatusReport.Model shadowed(StatusReport.Model model, StatusReport.Shadow... shadows) {
    return new StatusReport.Model(
        model.name(),
        model.serving(),
        model.schemaId(),
        model.tasks(),
        model.precision(),
        model.maxRows(),
        model.allowedWaitMillis(),
        model.versions(),
        List.of(shadows),
        model.training(),
        model.figures());
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    PageFile file = files.get(path);
    ResponseEntity<byte[]> entity =
        file != null
            ? file.answer()
            : path.equals("/status") && answers
                ? ResponseEntity.ok()
                    .headers(PageFile::secure)
                    .header(HttpHeaders.CONTENT_TYPE, "application/json")
                    .body(JSON.writeValueAsBytes(report(exchange.getRequestURI().getQuery())))
                : ResponseEntity.status(503).body(new byte[0]);
    entity.getHeaders().forEach((name, values) -> exchange.getResponseHeaders().put(name, values));
    byte[] body = entity.getBody() == null ? new byte[0] : entity.getBody();
    try (exchange) {
      exchange.sendResponseHeaders(
          entity.getStatusCode().value(), body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private StatusReport report(String query) {
    long after = Long.parseLong(query.substring("after=".length()));
    long last = samples.getAndIncrement();
    long first = after > last ? last + 1 : Math.max(after + 1, Math.max(0, last + 1 - KEEPS));
    long now = System.currentTimeMillis();
    List<Long> times = new ArrayList<>();
    for (long n = first; n <= last; n++) {
      times.add(now - (last - n) * EVERY);
    }
    Map<String, List<@Nullable Double>> process = new LinkedHashMap<>();
    Figures figures = new Figures(first, last);
    process.put("cpu", figures.around(2.2, 0.3));
    process.put("resident", figures.around(1.42e9, 1e6));
    process.put("heap", figures.saw(1.8e8, 6.2e8));
    process.put("threads", figures.steady(64));
    List<StatusReport.Model> all = new ArrayList<>();
    for (StatusReport.Model m : models) {
      all.add(
          new StatusReport.Model(
              m.name(),
              m.serving(),
              m.schemaId(),
              m.tasks(),
              m.precision(),
              m.maxRows(),
              m.allowedWaitMillis(),
              m.versions(),
              m.shadows(),
              m.training(),
              m.serving() == 0 ? Map.of() : busy(figures, m)));
    }
    return new StatusReport(
        started.get(),
        now,
        EVERY,
        KEEPS,
        last,
        times,
        readiness,
        new StatusReport.ProcessUse(4, 1L << 30, List.of("cpu"), process),
        Map.of("overloaded", figures.burst(40, 0), "bad_request", figures.around(0.5, 0.5)),
        all);
  }

  private static Map<String, List<@Nullable Double>> busy(
      Figures figures, StatusReport.Model model) {
    Map<String, List<@Nullable Double>> busy = new LinkedHashMap<>();
    for (ModelFigure figure : ModelFigure.values()) {
      busy.put(
          figure.key(),
          switch (figure) {
            case ANSWERED -> figures.around(132, 12);
            case CANDIDATES -> figures.around(66_000, 5_000);
            case DROPPED, TRUNCATED -> figures.around(0, 0);
            case DECODE_P50 -> figures.around(0.21, 0.01);
            case DECODE_P99 -> figures.around(0.48, 0.1);
            case RESOLVE_P50 -> figures.around(0.34, 0.02);
            case RESOLVE_P99 -> figures.around(1.1, 0.3);
            case QUEUE_P50 -> figures.around(0.4, 0.1);
            case QUEUE_P99 -> figures.around(4.2, 1.5);
            case RUN_P50 -> figures.around(2.6, 0.1);
            case RUN_P99 -> figures.around(4.4, 0.6);
            case TOTAL_P50 -> figures.around(3.7, 0.2);
            case TOTAL_P99 -> figures.around(9.1, 1.9);
            case BATCHES -> figures.around(101, 9);
            case BATCH_ROWS -> figures.around(640, 60);
            case IN_WORK -> figures.around(1200, 500);
            case WAITING -> figures.around(300, 300);
            case EXPECTED_WAIT -> figures.around(6, 2.5);
            case SLOWNESS -> figures.around(1.1, 0.05);
            case RESIDENT -> figures.steady(4_812_000);
            case FROM_MEMORY -> figures.around(81_000, 5_000);
            case FROM_STORE -> figures.around(900, 250);
            case FROM_NOWHERE -> figures.around(240, 60);
            case HIT_RATE -> figures.burst(-4, 99.2);
            case DEFAULTED -> figures.around(310, 80);
            case MISSING -> figures.around(120, 30);
          });
    }
    if (model.training() != null) {
      busy.put("learned", figures.around(1320, 90));
      busy.put("commits", figures.around(0.98, 0.02));
      busy.put("lag", figures.burst(5_000, 420));
      busy.put("visibleP50", figures.around(0.71, 0.03));
      busy.put("visibleP99", figures.around(1.4, 0.1));
      double level = 0.86;
      for (String task : model.tasks()) {
        busy.put("entropy:served:" + task, figures.around(level, 0.001));
        busy.put("entropy:learner:" + task, figures.around(level - 0.012, 0.001));
        busy.put("calibration:served:" + task, figures.around(1.02 + level / 50, 0.004));
        busy.put("calibration:learner:" + task, figures.around(1.01, 0.003));
        worse(figures, task, level - 0.8).forEach(busy::put);
        level -= 0.11;
      }
      busy.put("gate:open", figures.within(150, 270));
      busy.put("gate:quarantined", figures.within(120, 150));
      busy.put("gate:holding", figures.within(0, 120, 270, 300));
      busy.put("gate:canary_of_tomorrow", figures.steady(0));
      busy.put("frozen", figures.within(60, 75));
    }
    return busy;
  }

  /** The candidate less the healthy state: less sure the fewer samples since a promotion. */
  private static Map<String, List<@Nullable Double>> worse(
      Figures figures, String task, double seed) {
    List<@Nullable Double> low = new ArrayList<>();
    List<@Nullable Double> mean = new ArrayList<>();
    List<@Nullable Double> high = new ArrayList<>();
    for (long n = figures.first(); n <= figures.last(); n++) {
      boolean known = n % 60 >= 3; // A promotion begins anew.
      double width = 0.004 / Math.sqrt((double) (1 + n % 60));
      double noise = new Random(31 * n + task.hashCode()).nextGaussian();
      double middle = 0.0008 * Math.sin(n / 30.0 + 40 * seed) - 0.0004 + 0.02 * width * noise;
      low.add(known ? middle - width : null);
      mean.add(known ? middle : null);
      high.add(known ? middle + width : null);
    }
    return Map.of("worse:low:" + task, low, "worse:mean:" + task, mean, "worse:high:" + task, high);
  }

  /** Values for the samples {@code first} to {@code last}, the same in every run. */
  private record Figures(long first, long last) {
    List<@Nullable Double> around(double middle, double deviation) {
      List<@Nullable Double> values = new ArrayList<>();
      for (long n = first; n <= last; n++) {
        double noise = new Random(31 * n + Double.hashCode(middle)).nextGaussian();
        values.add(Math.max(0, middle * (1 + 0.08 * Math.sin(n / 40.0)) + deviation * noise));
      }
      return values;
    }

    List<@Nullable Double> steady(double value) {
      return new ArrayList<>(Collections.nCopies((int) (last + 1 - first), value));
    }

    /** 1 from each even bound to the next, of every 300 samples; else 0. */
    List<@Nullable Double> within(int... bounds) {
      List<@Nullable Double> values = new ArrayList<>();
      for (long n = first; n <= last; n++) {
        long at = n % 300;
        values.add(Arrays.stream(bounds).filter(bound -> bound <= at).count() % 2 == 1 ? 1.0 : 0.0);
      }
      return values;
    }

    List<@Nullable Double> saw(double low, double high) {
      List<@Nullable Double> values = new ArrayList<>();
      for (long n = first; n <= last; n++) {
        values.add(low + (high - low) * (n % 47) / 47);
      }
      return values;
    }

    List<@Nullable Double> burst(double high, double quiet) {
      List<@Nullable Double> values = new ArrayList<>();
      for (long n = first; n <= last; n++) {
        long at = n % 300 - 180;
        values.add(at >= 0 && at < 25 ? quiet + high * Math.sin(Math.PI * at / 25) : quiet);
      }
      return values;
    }
  }

  @Override
  public void close() {
    http.stop(0);
  }
}
