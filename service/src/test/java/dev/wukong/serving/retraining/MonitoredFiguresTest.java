package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.deployment.Chart;
import dev.wukong.deployment.Chart.Asked;
import dev.wukong.serving.engine.ShownGpu;
import dev.wukong.serving.testing.KafkaBroker;
import dev.wukong.serving.testing.Served;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What alerts, dashboards and the autoscaler ask of Prometheus is what a service shows that learns
 * as one of several.
 */
class MonitoredFiguresTest {
  private static final int CLICKS = 3;

  /** Labels that Prometheus itself gives to what it gathers. */
  private static final Set<String> OF_PROMETHEUS = Set.of("namespace", "pod", "job", "instance");

  /** Whether a pod was reached, and what the node says of its volumes. */
  private static final Set<String> OF_OTHERS =
      Set.of("up", "kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes");

  private static final Pattern SELECTOR = Pattern.compile("([a-zA-Z_]\\w*)\\{([^}]*)}");
  private static final Pattern MATCHER = Pattern.compile("(\\w+)(=~|!=|=)\"([^\"]*)\"");
  private static final Pattern BY = Pattern.compile("by \\(([^)]*)\\)");
  private static final Pattern SAMPLE = Pattern.compile("([a-z_]\\w*)(?:\\{(.*)})? \\S+");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

  @TempDir Path folder;

  /** Of what is shown: by name, labels and the values that they have. */
  private final Map<String, Map<String, Set<String>>> shown = new HashMap<>();

  private void show(String text) {
    for (String line : text.lines().filter(l -> !l.startsWith("#")).toList()) {
      var sample = SAMPLE.matcher(line);
      assertThat(sample.matches()).as(line).isTrue();
      Map<String, Set<String>> labels =
          shown.computeIfAbsent(sample.group(1), _ -> new HashMap<>());
      if (sample.group(2) != null) {
        LABEL
            .matcher(sample.group(2))
            .results()
            .forEach(
                label ->
                    labels
                        .computeIfAbsent(label.group(1), _ -> new HashSet<>())
                        .add(label.group(2)));
      }
    }
  }

  /** Asks a service that has answered, refused and learned. */
  private void showService() throws Exception {
    Path bundles = LearningModel.train(folder);
    try (KafkaBroker broker = KafkaBroker.start(folder.resolve("broker"));
        LearningService service =
            LearningService.start(
                bundles,
                1,
                "wukong.cluster.name=one",
                "wukong.cluster.kafka.addresses=" + broker.address(),
                "wukong.cluster.kafka.replication=1",
                "wukong.cluster.kafka.partitions=2",
                // Nobody is there, and training does not mind.
                "wukong.cluster.mirror=true",
                "wukong.rows.redis.addresses=127.0.0.1:1")) {
      Served.await(
          "it trains", () -> service.trainer().status().phase() == OnlineTrainer.Phase.LEARNING);
      service.click(0, 3, CLICKS);
      service.awaitExamples(CLICKS * LearningService.EXAMPLES);
      try (HttpClient client = HttpClient.newHttpClient()) {
        URI metrics =
            URI.create(
                "http://localhost:%d/actuator/prometheus".formatted(service.served().httpPort()));
        String text =
            client.send(HttpRequest.newBuilder(metrics).build(), BodyHandlers.ofString()).body();
        // They go on over commits, each of which is another state of the same version.
        assertThat(text)
            .contains("wukong_version_requests_total{model=\"learner\",version=\"1\"} 3.0");
        show(text);
      }
    }
  }

  private void showGpu() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    ShownGpu.meters().bindTo(registry);
    show(registry.scrape());
  }

  @Test
  void figures_thatAreAskedFor_areShown() throws Exception {
    showService();
    showGpu();
    // The text of the class that names them: each comes with the first request that is refused so.
    String reasons =
        Files.readString(Path.of("src/main/java/dev/wukong/serving/predict/StatusMapping.java"));
    shown.put("wukong_predict_refusals_total", Map.of("reason", quoted(reasons)));
    Chart chart =
        Chart.render(
            folder.resolve("."),
            "config: {wukong: {online: {model: ctr}}}",
            "cluster: {enabled: true, kafka: {addresses: ['k:1']}, redis: {addresses: ['r:1']}}",
            "trainer: {separate: true}",
            "monitoring: {rules: {enabled: true}, dashboards: {enabled: true}}");
    assertThat(chart.asked()).hasSizeGreaterThan(100);
    for (Asked asked : chart.asked()) {
      check(asked);
    }
    assertThat(Chart.adapterExpressions()).isNotEmpty();
    for (String expression : Chart.adapterExpressions()) {
      check(new Asked(expression, Set.of()));
    }
  }

  private static Set<String> quoted(String text) {
    Set<String> all = new HashSet<>();
    Pattern.compile("\"([a-z_]+)\"").matcher(text).results().forEach(q -> all.add(q.group(1)));
    return all;
  }

  private void check(Asked asked) {
    String expression = asked.expression();
    Set<String> labels = new HashSet<>(OF_PROMETHEUS);
    List<MatchResult> selectors = SELECTOR.matcher(expression).results().toList();
    for (MatchResult selector : selectors) {
      String name = selector.group(1);
      if (!OF_OTHERS.contains(name)) {
        assertThat(shown.containsKey(name)).as("%s of %s", name, expression).isTrue();
        labels.addAll(shown.getOrDefault(name, Map.of()).keySet());
        MATCHER.matcher(selector.group(2)).results().forEach(m -> check(expression, name, m));
      }
    }
    assertThat(Pattern.compile("\\bwukong_").matcher(expression).results().count())
        .as("selectors with labels of " + expression)
        .isEqualTo(selectors.stream().filter(s -> s.group(1).startsWith("wukong_")).count());
    Set<String> kept = new HashSet<>();
    for (MatchResult by : BY.matcher(expression).results().toList()) {
      for (String label : by.group(1).split(", ", -1)) {
        if (!label.equals("<<.GroupBy>>")) {
          assertThat(labels).as(expression).contains(label);
          kept.add(label);
        }
      }
    }
    boolean ofVolumes = expression.startsWith("kubelet_");
    if (!ofVolumes) {
      assertThat(kept.isEmpty() ? labels : kept).as(expression).containsAll(asked.shown());
    }
  }

  /** What a selector wants of a label can be. */
  private void check(String expression, String name, MatchResult matcher) {
    String label = matcher.group(1);
    String wanted = matcher.group(3);
    if (OF_PROMETHEUS.contains(label)) {
      return;
    }
    Map<String, Set<String>> labels = shown.getOrDefault(name, Map.of());
    assertThat(labels).as(expression).containsKey(label);
    if (!label.equals("rpc_method")) {
      for (String value : wanted.split("\\|", -1)) {
        assertThat(labels.getOrDefault(label, Set.of())).as(expression).contains(value);
      }
    }
  }
}
