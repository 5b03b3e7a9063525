package dev.wukong.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.marcnuri.helm.Helm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class ChartTest {
  private static final String NAME = "rank-wukong-serving";

  @TempDir Path folder;

  private Chart render(String... values) throws IOException {
    return Chart.render(folder, values);
  }

  @Test
  void chart_lint_hasNothingToSay() {
    var result = new Helm(Chart.FOLDER).lint().strict().call();
    assertThat(result.isFailed()).as(String.valueOf(result.getMessages())).isFalse();
  }

  @Test
  void chart_defaults_makeTheseObjects() throws IOException {
    assertThat(render().objects())
        .containsOnlyKeys(
            "StatefulSet/rank-wukong-serving",
            "Service/rank-wukong-serving",
            "Service/rank-wukong-serving-pods",
            "ServiceAccount/rank-wukong-serving",
            "ConfigMap/rank-wukong-serving",
            "Pod/rank-wukong-serving-ready");
  }

  @Test
  void pods_everyOne_areConfined() throws IOException {
    var objects = render();
    for (JsonNode pod :
        List.of(objects.pod(NAME), objects.at("Pod/rank-wukong-serving-ready", "/spec"))) {
      assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
      assertThat(pod.at("/securityContext/runAsUser").asInt()).isEqualTo(10001);
      assertThat(pod.at("/securityContext/seccompProfile/type").asString())
          .isEqualTo("RuntimeDefault");
      assertThat(pod.at("/automountServiceAccountToken").asBoolean(true)).isFalse();
      JsonNode container = pod.at("/containers/0/securityContext");
      assertThat(container.at("/allowPrivilegeEscalation").asBoolean(true)).isFalse();
      assertThat(container.at("/readOnlyRootFilesystem").asBoolean()).isTrue();
      assertThat(container.at("/capabilities/drop").toString()).isEqualTo("[\"ALL\"]");
    }
  }

  /** The test's pod, too, pulls from where the image is. */
  @Test
  void pods_everyOne_usesThePullSecrets() throws IOException {
    var objects = render("imagePullSecrets: [{name: registry}]");
    for (JsonNode pod :
        List.of(objects.pod(NAME), objects.at("Pod/rank-wukong-serving-ready", "/spec"))) {
      assertThat(pod.at("/imagePullSecrets/0/name").asString()).isEqualTo("registry");
    }
  }

  @Test
  void probes_three_areSplit() throws IOException {
    JsonNode container = render("probes: {startupSeconds: 61}").pod(NAME).at("/containers/0");
    assertThat(container.at("/startupProbe/httpGet/path").asString())
        .isEqualTo("/actuator/health/liveness");
    assertThat(
            container.at("/startupProbe/periodSeconds").asInt()
                * container.at("/startupProbe/failureThreshold").asInt())
        .isBetween(61, 62);
    assertThat(container.at("/readinessProbe/httpGet/path").asString())
        .isEqualTo("/actuator/health/readiness");
    assertThat(container.at("/livenessProbe/httpGet/path").asString())
        .isEqualTo("/actuator/health/liveness");
  }

  @Test
  void services_ports_reachTheContainersPorts() throws IOException {
    var objects = render("service: {grpcPort: 443, httpPort: 80}");
    JsonNode ports = objects.pod(NAME).at("/containers/0/ports");
    assertThat(ports.toString())
        .isEqualTo(
            "[{\"name\":\"grpc\",\"containerPort\":9090},{\"name\":\"http\",\"containerPort\":8080}]");
    JsonNode service = objects.at("Service/rank-wukong-serving", "/spec");
    assertThat(service.at("/ports/0/port").asInt()).isEqualTo(443);
    assertThat(service.at("/ports/0/targetPort").asString()).isEqualTo("grpc");
    assertThat(service.at("/ports/1/port").asInt()).isEqualTo(80);
    assertThat(service.at("/ports/1/targetPort").asString()).isEqualTo("http");
    assertThat(objects.at("Service/rank-wukong-serving-pods", "/spec/clusterIP").asString())
        .isEqualTo("None");
    assertThat(objects.at("StatefulSet/rank-wukong-serving", "/spec/serviceName").asString())
        .isEqualTo("rank-wukong-serving-pods");
    assertThat(objects.application(NAME).at("/server/port").asInt()).isEqualTo(8080);
    assertThat(objects.application(NAME).at("/spring/grpc/server/port").asInt()).isEqualTo(9090);
  }

  @Test
  void selectors_services_matchTheServingPodsAlone() throws IOException {
    var objects = render("podLabels: {team: ads}");
    JsonNode serving =
        objects.at("StatefulSet/rank-wukong-serving", "/spec/template/metadata/labels");
    JsonNode test = objects.at("Pod/rank-wukong-serving-ready", "/metadata/labels");
    for (String selector :
        List.of("Service/rank-wukong-serving", "Service/rank-wukong-serving-pods")) {
      JsonNode wanted = objects.at(selector, "/spec/selector");
      assertThat(wanted.isEmpty()).isFalse();
      assertThat(wanted.properties()).allMatch(e -> e.getValue().equals(serving.get(e.getKey())));
      assertThat(wanted.properties()).anyMatch(e -> !e.getValue().equals(test.get(e.getKey())));
    }
    assertThat(objects.at("StatefulSet/rank-wukong-serving", "/spec/selector/matchLabels"))
        .isEqualTo(objects.at("Service/rank-wukong-serving", "/spec/selector"));
    assertThat(serving.get("team").asString()).isEqualTo("ads");
  }

  @Test
  void config_tracesAndAccessLog_reachTheService() throws IOException {
    JsonNode application =
        render(
                "config:",
                "  management:",
                "    opentelemetry: {tracing: {export: {otlp: {endpoint:"
                    + " 'http://c:4318/v1/traces'}}}}",
                "    tracing: {sampling: {probability: 0.01}}",
                "  wukong: {access-log: {sample: 0.001, refusals-per-second: 20}}")
            .application(NAME);
    assertThat(application.at("/management/opentelemetry/tracing/export/otlp/endpoint").asString())
        .isEqualTo("http://c:4318/v1/traces");
    assertThat(application.at("/management/tracing/sampling/probability").asDouble())
        .isEqualTo(0.01);
    assertThat(application.at("/wukong/access-log/sample").asDouble()).isEqualTo(0.001);
    assertThat(application.at("/wukong/access-log/refusals-per-second").asInt()).isEqualTo(20);
    assertThat(application.at("/wukong/bundle-root").asString()).isNotEmpty();
  }

  @Test
  void config_ofTheUser_isJoinedWithTheChartsOwn() throws IOException {
    var first =
        render(
            "config: {logging: {level: {root: debug}}, wukong: {engine: {device: 'cuda:7', threads:"
                + " 3}}}");
    JsonNode application = first.application(NAME);
    assertThat(application.at("/logging/level/root").asString()).isEqualTo("debug");
    assertThat(application.at("/wukong/engine/device").asString()).isEqualTo("cpu");
    assertThat(application.at("/wukong/engine/threads").asInt()).isEqualTo(3);
    String checksum = "/spec/template/metadata/annotations/checksum~1config";
    assertThat(first.at("StatefulSet/rank-wukong-serving", checksum))
        .isNotEqualTo(render().at("StatefulSet/rank-wukong-serving", checksum));
    assertThat(first.pod(NAME).at("/containers/0/env").toString())
        .contains("ORT_DISABLE_TELEMETRY");
  }

  @Test
  void gpu_cudaDevice_asksForOne() throws IOException {
    var objects =
        render(
            "device: cuda:0",
            "gpu: {runtimeClassName: nvidia, nodeSelector: {accelerator: h200}}",
            "nodeSelector: {zone: a}");
    JsonNode pod = objects.pod(NAME);
    assertThat(pod.at("/containers/0/resources/limits/nvidia.com~1gpu").asInt()).isEqualTo(1);
    assertThat(pod.at("/containers/0/resources/limits/memory").asString()).isEqualTo("2Gi");
    assertThat(pod.at("/nodeSelector").toString())
        .isEqualTo("{\"accelerator\":\"h200\",\"zone\":\"a\"}");
    assertThat(pod.at("/tolerations/0/key").asString()).isEqualTo("nvidia.com/gpu");
    assertThat(pod.at("/runtimeClassName").asString()).isEqualTo("nvidia");
    assertThat(objects.application(NAME).at("/wukong/engine/device").asString())
        .isEqualTo("cuda:0");
  }

  @Test
  void gpu_severalDevices_asksForAsMany() throws IOException {
    var objects = render("device: 'cuda:0,cuda:1'", "gpu: {count: 2}");
    assertThat(objects.pod(NAME).at("/containers/0/resources/limits/nvidia.com~1gpu").asInt())
        .isEqualTo(2);
    assertThat(objects.application(NAME).at("/wukong/engine/device").asString())
        .isEqualTo("cuda:0,cuda:1");
  }

  @Test
  void gpu_cpuDevice_asksForNone() throws IOException {
    String pod = render("gpu: {nodeSelector: {accelerator: h200}}").pod(NAME).toString();
    assertThat(pod).doesNotContain("nvidia").doesNotContain("accelerator");
  }

  @Test
  void bundles_ownClaim_areMountedReadOnly() throws IOException {
    JsonNode pod = render("bundles: {existingClaim: models, subPath: prod}").pod(NAME);
    JsonNode mount = Chart.named(pod.at("/containers/0/volumeMounts"), "bundles");
    assertThat(mount.at("/mountPath").asString()).isEqualTo("/var/lib/wukong/bundles");
    assertThat(mount.at("/readOnly").asBoolean()).isTrue();
    assertThat(mount.at("/subPath").asString()).isEqualTo("prod");
    JsonNode claim = Chart.named(pod.at("/volumes"), "bundles").at("/persistentVolumeClaim");
    assertThat(claim.at("/claimName").asString()).isEqualTo("models");
    assertThat(claim.at("/readOnly").asBoolean()).isTrue();
  }

  @Test
  void storage_settings_reachTheClaim() throws IOException {
    JsonNode claim =
        render("storage: {size: 100Gi, className: fast, accessModes: [ReadWriteOncePod]}")
            .at("StatefulSet/rank-wukong-serving", "/spec/volumeClaimTemplates/0/spec");
    assertThat(claim.at("/resources/requests/storage").asString()).isEqualTo("100Gi");
    assertThat(claim.at("/storageClassName").asString()).isEqualTo("fast");
    assertThat(claim.at("/accessModes").toString()).isEqualTo("[\"ReadWriteOncePod\"]");
  }

  @Test
  void disruptionBudget_fromTwoPodsOn_exists() throws IOException {
    JsonNode budget = render("replicas: 3").at("PodDisruptionBudget/rank-wukong-serving", "/spec");
    assertThat(budget.at("/maxUnavailable").asInt()).isEqualTo(1);
    assertThat(render("replicas: 1").objects())
        .doesNotContainKey("PodDisruptionBudget/rank-wukong-serving");
  }

  @ParameterizedTest
  @CsvSource({
    "'image: {tag: v2}', wukong-serving:v2",
    "'image: {repository: r.example/w}', r.example/w:0.1.0",
    "'image: {tag: v2, digest:"
        + " sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}',"
        + " wukong-serving@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  })
  void image_tagOrDigest_isUsed(String values, String image) throws IOException {
    assertThat(render(values).pod(NAME).at("/containers/0/image").asString()).isEqualTo(image);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "replicas: -1",
        "replicas: many",
        "replica: 2",
        "device: gpu",
        "device: 'cuda:'",
        "device: 'cuda:0,cuda:1'",
        "device: 'cpu,cuda:0'",
        "image: {tags: v2}",
        "image: {digest: latest}",
        "residentRows: 2Gi",
        "storage: {size: plenty}",
        "storage: {accessModes: []}",
        "service: {grpcPort: 0}",
        "service: {type: Ingress}",
        "resources: {limit: {memory: 1Gi}}",
        "probes: {startupSeconds: soon}",
        "env: [{value: x}]",
        "gpu: {count: 0}",
        "storage: {whenScaled: Keep}",
        "cluster: {election: zookeeper}",
        "cluster: {kafka: {addresses: [kafka]}}",
        "cluster: {kafka: {prefix: 'a b'}}",
        "cluster: {kafka: {replication: 0}}",
        "trainer: {replicas: 2}",
        "trainer: {device: tpu}",
        "tls: {secretName: Secret_1}",
        "tls: {clients: some}",
        "tokens: {secret: x}",
        "admin: {expose: 'yes'}",
        "drain: {callsSeconds: 0}",
        "update: {partition: -1}",
        "autoscaling: {minReplicas: 0}",
        "autoscaling: {queueTime: {target: 10ms}}",
        "topologySpread: {nodes: Never}",
        "networkPolicy: {ingress: {grpc: [{podSelector: {}}]}}",
        "networkPolicy: {ingress: {grpc: {from: [{}]}}}",
        "networkPolicy: {egress: {kafka: {ports: [kafka]}}}",
        "monitoring: {serviceMonitor: {interval: often}}",
        "monitoring: {rules: {thresholds: {refusedShare: 2}}}"
      })
  void values_wrong_areRefused(String values) {
    String key = values.substring(0, values.indexOf(':'));
    assertThatThrownBy(() -> render(values)).hasMessageContaining(key);
  }

  /** The service takes these for the chart's own settings, and of two the last would count. */
  @ParameterizedTest
  @CsvSource({
    "'config: {server.port: 9999}', server.port",
    "'config: {wukong: {bundleRoot: /tmp}}', bundleRoot",
    "'config: {spring: {grpc.server.port: 1}}', grpc.server.port",
    "'cluster: {kafka: {properties: {SSL_LOCATION: x}}}', SSL_LOCATION"
  })
  void config_otherSpelling_isRefused(String values, String named) {
    assertThatThrownBy(() -> render(values))
        .hasMessageContaining("invalid propertyName '" + named + "'");
  }

  /**
   * Where somebody has a role, whoever gathers metrics shows who it is, and the test does not ask.
   */
  @Test
  void metrics_somebodyHasARole_areAskedForWithAToken() throws IOException {
    String roles =
        "config: {wukong: {roles: {predict: {tokens-file: /etc/wukong/tokens/predict}}}}";
    String scrapes = "monitoring: {serviceMonitor: {enabled: true";
    Chart chart =
        Chart.render(
            folder,
            roles,
            scrapes + ", authorization: {credentials: {name: scraper, key: token}}}}");
    assertThat(chart.at("ServiceMonitor/" + NAME, "/spec/endpoints/0/authorization").toString())
        .isEqualTo("{\"credentials\":{\"key\":\"token\",\"name\":\"scraper\"}}");
    assertThat(chart.at("Pod/" + NAME + "-ready", "/spec/containers/0/command/2").asString())
        .contains("/actuator/health/readiness")
        .doesNotContain("/actuator/prometheus");
    assertThat(
            Chart.render(folder)
                .at("Pod/" + NAME + "-ready", "/spec/containers/0/command/2")
                .asString())
        .contains("/actuator/prometheus");
    assertThatThrownBy(() -> Chart.render(folder, roles, scrapes + "}}"))
        .hasMessageContaining(
            "config.wukong.roles says who may ask, but"
                + " monitoring.serviceMonitor.authorization and .tlsConfig are empty");
  }
}
