package dev.wukong.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What the chart makes for several pods: who trains, who may speak to whom, how many there are. */
class ClusterChartTest {
  private static final String NAME = "rank-wukong-serving";
  private static final String TRAINER = NAME + "-trainer";
  private static final String MODEL = "config: {wukong: {online: {model: ctr}}}";
  private static final String CLUSTER = "cluster: {enabled: true, kafka: {addresses: ['k:9092']}}";

  @TempDir Path folder;

  private Chart render(String... values) throws IOException {
    return Chart.render(folder, values);
  }

  private Chart cluster(String... more) throws IOException {
    List<String> values = new ArrayList<>(List.of(MODEL, CLUSTER));
    values.addAll(Arrays.asList(more));
    return render(values.toArray(String[]::new));
  }

  private static boolean asksKubernetes(JsonNode pod) {
    return pod.at("/automountServiceAccountToken").asBoolean();
  }

  @Test
  void cluster_addresses_reachTheService() throws IOException {
    JsonNode settings = cluster().application(NAME).at("/wukong/cluster");
    assertThat(settings.at("/kafka/addresses").toString()).isEqualTo("[\"k:9092\"]");
    assertThat(settings.at("/kafka/partitions").asInt()).isEqualTo(8);
    assertThat(settings.at("/kafka/replication").asInt()).isEqualTo(3);
    assertThat(settings.at("/election").asString()).isEqualTo("lease");
    assertThat(settings.at("/lease/name").asString()).isEqualTo(TRAINER);
    assertThat(settings.at("/lease/namespace").asString()).isEqualTo("ads");
  }

  @Test
  void cluster_kafkasOwnProperties_reachTheService() throws IOException {
    Chart chart =
        render(
            MODEL,
            "cluster:",
            "  enabled: true",
            "  kafka:",
            "    addresses: ['k:9093']",
            "    secretName: brokers",
            "    properties: {security.protocol: SSL}");
    assertThat(chart.application(NAME).at("/wukong/cluster/kafka/properties/security.protocol"))
        .hasToString("\"SSL\"");
    JsonNode container = chart.pod(NAME).at("/containers/0");
    assertThat(Chart.named(container.at("/volumeMounts"), "kafka").at("/mountPath").asString())
        .isEqualTo("/etc/wukong/kafka");
    assertThat(
            Chart.named(chart.pod(NAME).at("/volumes"), "kafka")
                .at("/secret/secretName")
                .asString())
        .isEqualTo("brokers");
  }

  @Test
  void prefix_ofReleases_isTheOwnOfEach() throws IOException {
    String pointer = "/wukong/cluster/kafka/prefix";
    assertThat(cluster().application(NAME).at(pointer).asString()).isEqualTo("ads." + NAME);
    assertThat(
            render(MODEL, "cluster: {enabled: true, kafka: {addresses: ['k:1'], prefix: shop}}")
                .application(NAME)
                .at(pointer)
                .asString())
        .isEqualTo("shop");
    Set<String> cut = new HashSet<>();
    for (String end : List.of("a", "b")) {
      String prefix =
          Chart.render(folder, "rank", "n".repeat(62) + end, List.of(MODEL, CLUSTER))
              .application(NAME)
              .at(pointer)
              .asString();
      assertThat(prefix).hasSize(64);
      cut.add(prefix);
    }
    assertThat(cut).hasSize(2);
  }

  @Test
  void lease_electedAmongAll_isTheOnlyRightOfAll() throws IOException {
    Chart chart = cluster();
    JsonNode rules = chart.at("Role/" + TRAINER, "/rules");
    assertThat(rules.toString())
        .isEqualTo(
            "[{\"apiGroups\":[\"coordination.k8s.io\"],\"resources\":[\"leases\"],\"resourceNames\":[\""
                + TRAINER
                + "\"],\"verbs\":[\"get\",\"update\"]}]");
    assertThat(chart.at("RoleBinding/" + TRAINER, "/roleRef/name").asString()).isEqualTo(TRAINER);
    assertThat(chart.at("RoleBinding/" + TRAINER, "/subjects/0/name").asString()).isEqualTo(NAME);
    assertThat(chart.at("RoleBinding/" + TRAINER, "/subjects/0/namespace").asString())
        .isEqualTo("ads");
    assertThat(chart.objects()).containsKey("Lease/" + TRAINER);
    assertThat(asksKubernetes(chart.pod(NAME))).isTrue();
    assertThat(chart.objects()).doesNotContainKey("StatefulSet/" + TRAINER);
  }

  @Test
  void checkpoints_inABucket_areWhereAllFindThem() throws IOException {
    Chart chart =
        render(
            MODEL,
            CLUSTER.replaceFirst(
                "}$",
                ", checkpoints: {location: 's3://models/ranking', endpoint: 'http://minio:9000',"
                    + " every: 5m, keep: 2}}"));
    JsonNode shared = chart.application(NAME).at("/wukong/cluster/checkpoints");
    assertThat(shared.at("/location").asString()).isEqualTo("s3://models/ranking");
    assertThat(shared.at("/endpoint").asString()).isEqualTo("http://minio:9000");
    assertThat(shared.at("/every").asString()).isEqualTo("5m");
    assertThat(shared.at("/keep").asInt()).isEqualTo(2);
    assertThat(chart.pod(NAME).at("/volumes").toString()).doesNotContain("checkpoints");
  }

  @Test
  void checkpoints_onAClaim_areWrittenBelowItsMount() throws IOException {
    Chart chart = render(MODEL, CLUSTER.replaceFirst("}$", ", checkpoints: {claimName: shared}}"));
    String location = chart.application(NAME).at("/wukong/cluster/checkpoints/location").asString();
    JsonNode pod = chart.pod(NAME);
    assertThat(location).isEqualTo("/var/lib/wukong-shared/checkpoints");
    assertThat(pod.at("/containers/0/volumeMounts").toString())
        .contains("{\"name\":\"checkpoints\",\"mountPath\":\"/var/lib/wukong-shared\"}");
    assertThat(pod.at("/volumes").toString())
        .contains(
            "{\"name\":\"checkpoints\",\"persistentVolumeClaim\":{\"claimName\":\"shared\"}}");
  }

  @Test
  void redis_trainerOfItsOwn_writesWhatTheOthersRead() throws IOException {
    String redis = CLUSTER.replaceFirst("}$", ", redis: {addresses: ['redis-0:6379']}}");
    Chart chart = render(MODEL, redis, "trainer: {separate: true}");
    JsonNode serves = chart.application(NAME).at("/wukong");
    assertThat(serves.at("/rows/store").asString()).isEqualTo("redis");
    assertThat(serves.at("/rows/redis/addresses").toString()).isEqualTo("[\"redis-0:6379\"]");
    assertThat(serves.at("/rows/redis/prefix").asString())
        .startsWith("rank-wukong-serving-")
        .hasSizeLessThanOrEqualTo(32);
    assertThat(serves.at("/rows/resident").asString()).isEqualTo("256MB");
    assertThat(serves.at("/cluster/election").asString()).isEqualTo("never");
    assertThat(serves.at("/cluster/mirror").isMissingNode()).isTrue();
    JsonNode trains = chart.application(TRAINER).at("/wukong");
    assertThat(trains.at("/rows/store").asString()).isEqualTo("rocks");
    assertThat(trains.at("/rows/redis")).isEqualTo(serves.at("/rows/redis"));
    assertThat(trains.at("/cluster/mirror").asBoolean()).isTrue();

    assertThat(
            render(
                    "config: {wukong: {online: {model: ctr}, rows: {redis: {prefix: shop, user:"
                        + " u}}}}",
                    redis,
                    "trainer: {separate: true}")
                .application(NAME)
                .at("/wukong/rows/redis"))
        .hasToString("{\"addresses\":[\"redis-0:6379\"],\"prefix\":\"shop\",\"user\":\"u\"}");
    assertThatThrownBy(() -> render(MODEL, redis))
        .hasMessageContaining("cluster.redis.addresses is set, but trainer.separate is false");
    assertThatThrownBy(() -> render("cluster: {redis: {addresses: ['r:1']}}"))
        .hasMessageContaining("cluster.redis.addresses is set, but cluster.enabled is false");
  }

  /** Helm leaves alone what the elected write into it: an upgrade must not end their turn. */
  @Test
  void lease_ofTheChart_saysNothingOfItsHolderAndStays() throws IOException {
    JsonNode lease = cluster().at("Lease/" + TRAINER, "");
    assertThat(lease.has("spec")).isFalse();
    assertThat(lease.at("/metadata/annotations/helm.sh~1resource-policy").asString())
        .isEqualTo("keep");
  }

  @Test
  void election_byTheBrokers_asksNothingOfKubernetes() throws IOException {
    Chart chart =
        render(MODEL, "cluster: {enabled: true, election: group, kafka: {addresses: ['k:9092']}}");
    assertThat(chart.application(NAME).at("/wukong/cluster/election").asString())
        .isEqualTo("group");
    assertThat(chart.application(NAME).at("/wukong/cluster").has("lease")).isFalse();
    assertThat(asksKubernetes(chart.pod(NAME))).isFalse();
    assertThat(chart.all("Role")).isEmpty();
    assertThat(chart.all("RoleBinding")).isEmpty();
    assertThat(chart.all("Lease")).isEmpty();
  }

  @Test
  void trainer_ofItsOwn_aloneMayTrain() throws IOException {
    Chart chart = cluster("replicas: 3", "trainer: {separate: true}");
    assertThat(chart.application(NAME).at("/wukong/cluster/election").asString())
        .isEqualTo("never");
    assertThat(chart.application(NAME).at("/wukong/cluster").has("lease")).isFalse();
    assertThat(chart.application(TRAINER).at("/wukong/cluster/election").asString())
        .isEqualTo("lease");
    assertThat(chart.application(TRAINER).at("/wukong/cluster/kafka"))
        .isEqualTo(chart.application(NAME).at("/wukong/cluster/kafka"));
    assertThat(chart.at("StatefulSet/" + NAME, "/spec/replicas").asInt()).isEqualTo(3);
    assertThat(chart.at("StatefulSet/" + TRAINER, "/spec/replicas").asInt()).isEqualTo(1);
    assertThat(asksKubernetes(chart.pod(NAME))).isFalse();
    assertThat(asksKubernetes(chart.pod(TRAINER))).isTrue();
    assertThat(chart.at("RoleBinding/" + TRAINER, "/subjects/0/name").asString())
        .isEqualTo(TRAINER)
        .isEqualTo(chart.pod(TRAINER).at("/serviceAccountName").asString())
        .isNotEqualTo(chart.pod(NAME).at("/serviceAccountName").asString());
  }

  @Test
  void trainer_itsValues_standForThoseOfAll() throws IOException {
    Chart chart =
        cluster(
            "residentRows: 1GB",
            "nodeSelector: {pool: serving}",
            "tolerations: [{key: serving, operator: Exists}]",
            "resources: {requests: {cpu: '2'}}",
            "trainer:",
            "  separate: true",
            "  device: cuda:0",
            "  residentRows: 8GB",
            "  nodeSelector: {pool: training}",
            "  tolerations: []",
            "  resources: {limits: {memory: 32Gi}}",
            "  storage: {size: 500Gi}",
            "  config: {wukong: {online: {share: 1}}}");
    JsonNode trainer = chart.application(TRAINER);
    assertThat(trainer.at("/wukong/engine/device").asString()).isEqualTo("cuda:0");
    assertThat(trainer.at("/wukong/rows/resident").asString()).isEqualTo("8GB");
    assertThat(trainer.at("/wukong/online").toString())
        .isEqualTo("{\"model\":\"ctr\",\"share\":1}");
    JsonNode pod = chart.pod(TRAINER);
    assertThat(pod.at("/nodeSelector").toString()).isEqualTo("{\"pool\":\"training\"}");
    assertThat(pod.at("/tolerations").findValuesAsString("key")).containsExactly("nvidia.com/gpu");
    JsonNode resources = pod.at("/containers/0/resources");
    assertThat(resources.at("/limits/memory").asString()).isEqualTo("32Gi");
    assertThat(resources.at("/limits/nvidia.com~1gpu").asInt()).isEqualTo(1);
    assertThat(resources.at("/requests/cpu").asString()).isEqualTo("2");
    String size = "/spec/volumeClaimTemplates/0/spec/resources/requests/storage";
    assertThat(chart.at("StatefulSet/" + TRAINER, size).asString()).isEqualTo("500Gi");

    assertThat(chart.at("StatefulSet/" + NAME, size).asString()).isEqualTo("20Gi");
    JsonNode serving = chart.application(NAME);
    assertThat(serving.at("/wukong/engine/device").asString()).isEqualTo("cpu");
    assertThat(serving.at("/wukong/rows/resident").asString()).isEqualTo("1GB");
    assertThat(serving.at("/wukong/online").has("share")).isFalse();
    assertThat(chart.pod(NAME).toString()).doesNotContain("nvidia").contains("\"serving\"");
  }

  /** Who asks the service for answers is sent to pods that serve alone. */
  @Test
  void trainer_ofItsOwn_isNotAskedForAnswers() throws IOException {
    Chart chart = cluster("trainer: {separate: true}");
    JsonNode labels = chart.at("StatefulSet/" + TRAINER, "/spec/template/metadata/labels");
    for (String service : List.of(NAME, NAME + "-pods")) {
      assertThat(chart.at("Service/" + service, "/spec/selector").properties())
          .anyMatch(wanted -> !wanted.getValue().equals(labels.get(wanted.getKey())));
    }
    JsonNode own = chart.at("Service/" + TRAINER + "-pods", "/spec");
    assertThat(own.at("/publishNotReadyAddresses").asBoolean()).isTrue();
    assertThat(own.at("/clusterIP").asString()).isEqualTo("None");
  }

  @Test
  void autoscaler_enabled_leavesTheNumberOfPodsToIt() throws IOException {
    Chart chart =
        render(
            "replicas: 7",
            "autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 9, queueTime: {target:"
                + " 5m}}");
    assertThat(chart.at("StatefulSet/" + NAME, "/spec").has("replicas")).isFalse();
    JsonNode scaler = chart.at("HorizontalPodAutoscaler/" + NAME, "/spec");
    assertThat(scaler.at("/scaleTargetRef/kind").asString()).isEqualTo("StatefulSet");
    assertThat(scaler.at("/scaleTargetRef/name").asString()).isEqualTo(NAME);
    assertThat(scaler.at("/minReplicas").asInt()).isEqualTo(2);
    assertThat(scaler.at("/maxReplicas").asInt()).isEqualTo(9);
    assertThat(scaler.at("/metrics/0/pods/metric/name").asString())
        .isEqualTo("wukong_queue_seconds");
    assertThat(scaler.at("/metrics/0/pods/target/averageValue").asString()).isEqualTo("5m");
    assertThat(scaler.at("/metrics/1/resource/name").asString()).isEqualTo("cpu");
    assertThat(chart.objects()).containsKey("PodDisruptionBudget/" + NAME);
    assertThat(render("autoscaling: {enabled: true, minReplicas: 1}").all("PodDisruptionBudget"))
        .isEmpty();
  }

  @Test
  void network_closed_letsNobodyInButTheTestAndOutToNamesAlone() throws IOException {
    JsonNode policy = render("networkPolicy: {enabled: true}").at("NetworkPolicy/" + NAME, "/spec");
    assertThat(policy.at("/policyTypes").toString()).isEqualTo("[\"Ingress\",\"Egress\"]");
    assertThat(policy.at("/ingress")).hasSize(1);
    assertThat(
            policy
                .at("/ingress/0/from/0/podSelector/matchLabels/app.kubernetes.io~1component")
                .asString())
        .isEqualTo("test");
    assertThat(policy.at("/egress")).hasSize(1);
    assertThat(policy.at("/egress").findValuesAsString("port")).containsExactly("53", "53");
  }

  @Test
  void network_namedPeers_meetTheirPortsAlone() throws IOException {
    JsonNode policy =
        cluster(
                "networkPolicy:",
                "  enabled: true",
                "  ingress:",
                "    grpc: {from: [{podSelector: {matchLabels: {app: shop}}}]}",
                "    http: {from: [{namespaceSelector: {matchLabels: {team: sight}}}]}",
                "    admin: {from: [{podSelector: {}}]}",
                "  egress:",
                "    dns: {to: []}",
                "    kafka: {to: [{podSelector: {matchLabels: {app: kafka}}}]}",
                "    apiServer: {to: [{ipBlock: {cidr: 10.0.0.1/32}}], ports: [6443]}")
            .at("NetworkPolicy/" + NAME, "/spec");
    assertThat(policy.at("/ingress")).hasSize(3); // Operators: their port is not exposed.
    assertThat(policy.at("/ingress/1").toString())
        .isEqualTo(
            "{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"shop\"}}}],"
                + "\"ports\":[{\"port\":\"grpc\",\"protocol\":\"TCP\"}]}");
    assertThat(policy.at("/ingress/2/ports/0/port").asString()).isEqualTo("http");
    assertThat(policy.at("/egress")).hasSize(2);
    assertThat(policy.at("/egress/0/to/0/ipBlock/cidr").asString()).isEqualTo("10.0.0.1/32");
    assertThat(policy.at("/egress/0/ports").findValuesAsString("port")).containsExactly("6443");
    assertThat(policy.at("/egress/1/ports").findValuesAsString("port"))
        .containsExactly("9092", "9093");
  }

  @Test
  void tls_secret_isMountedAndEncryptsWhatIsAsked() throws IOException {
    Chart grpc = render("tls: {secretName: own}");
    JsonNode settings = grpc.application(NAME);
    String bundle = "/spring/ssl/bundle/pem/wukong";
    assertThat(settings.at(bundle + "/keystore/certificate").asString())
        .isEqualTo("/etc/wukong/tls/tls.crt");
    assertThat(settings.at(bundle + "/keystore/private-key").asString())
        .isEqualTo("/etc/wukong/tls/tls.key");
    assertThat(settings.at(bundle + "/reload-on-update").asBoolean()).isTrue();
    assertThat(settings.at(bundle).has("truststore")).isFalse();
    assertThat(settings.at("/spring/grpc/server/ssl/bundle").asString()).isEqualTo("wukong");
    assertThat(settings.at("/server").has("ssl")).isFalse();
    JsonNode pod = grpc.pod(NAME);
    assertThat(Chart.named(pod.at("/containers/0/volumeMounts"), "tls").at("/mountPath").asString())
        .isEqualTo("/etc/wukong/tls");
    assertThat(Chart.named(pod.at("/volumes"), "tls").at("/secret/secretName").asString())
        .isEqualTo("own");
    assertThat(pod.at("/containers/0/readinessProbe/httpGet").has("scheme")).isFalse();

    Chart all =
        render(
            "tls: {secretName: own, http: true, clients: required}",
            "monitoring: {serviceMonitor: {enabled: true}}");
    settings = all.application(NAME);
    assertThat(settings.at(bundle + "/truststore/certificate").asString())
        .isEqualTo("/etc/wukong/tls/ca.crt");
    assertThat(settings.at("/spring/grpc/server/ssl/client-auth").asString()).isEqualTo("require");
    assertThat(settings.at("/server/ssl/bundle").asString()).isEqualTo("wukong");
    for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
      assertThat(all.pod(NAME).at("/containers/0/" + probe + "/httpGet/scheme").asString())
          .isEqualTo("HTTPS");
    }
    assertThat(all.at("ServiceMonitor/" + NAME, "/spec/endpoints/0/scheme").asString())
        .isEqualTo("https");
  }

  @Test
  void tokens_secret_isMounted() throws IOException {
    JsonNode pod = render("tokens: {secretName: callers}").pod(NAME);
    JsonNode mount = Chart.named(pod.at("/containers/0/volumeMounts"), "tokens");
    assertThat(mount.at("/mountPath").asString()).isEqualTo("/etc/wukong/tokens");
    assertThat(mount.at("/readOnly").asBoolean()).isTrue();
    assertThat(Chart.named(pod.at("/volumes"), "tokens").at("/secret/secretName").asString())
        .isEqualTo("callers");
  }

  @Test
  void drain_values_reachTheServiceAndEndWithinTheGrace() throws IOException {
    Chart chart =
        render(
            "drain: {lameDuckSeconds: 15, callsSeconds: 30}", "terminationGracePeriodSeconds: 86");
    JsonNode settings = chart.application(NAME);
    assertThat(settings.at("/wukong/lame-duck").asString()).isEqualTo("15s");
    assertThat(settings.at("/spring/grpc/server/shutdown/grace-period").asString())
        .isEqualTo("30s");
    assertThat(settings.at("/spring/lifecycle/timeout-per-shutdown-phase").asString())
        .isEqualTo("40s");
    assertThat(chart.pod(NAME).at("/terminationGracePeriodSeconds").asInt()).isEqualTo(86);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "drain: {lameDuckSeconds: 15, callsSeconds: 33} | terminationGracePeriodSeconds is 90: want"
            + " more than 91",
        "config: {wukong: {lame-duck: 9s}} | drain.lameDuckSeconds",
        "config: {spring: {grpc: {server: {shutdown: {grace-period: 9s}}}}} | drain.callsSeconds",
        "config: {spring: {lifecycle: {timeout-per-shutdown-phase: 9s}}} | drain.callsSeconds",
        "cluster: {enabled: true} | cluster.kafka.addresses is empty",
        "cluster: {enabled: true, kafka: {addresses: ['k:1']}} | config.wukong.online.model is not"
            + " set",
        "trainer: {separate: true} | cluster.enabled is false",
        "cluster: {checkpoints: {claimName: shared}} | cluster.checkpoints is set, but"
            + " cluster.enabled is false",
        "{config: {wukong: {online: {model: ctr}}}, cluster: {enabled: true, kafka: {addresses:"
            + " ['k:1']}, checkpoints: {claimName: shared, location: 's3://models'}}} |"
            + " cluster.checkpoints.claimName is shared and cluster.checkpoints.location"
            + " s3://models",
        "{config: {wukong: {online: {model: ctr}}}, cluster: {enabled: true, kafka: {addresses:"
            + " ['k:1']}, checkpoints: {endpoint: 'http://minio:9000'}}} |"
            + " cluster.checkpoints.location is empty",
        "config: {wukong: {cluster: {kafka: {addresses: ['k:1']}}}} | set cluster.enabled",
        "autoscaling: {enabled: true, minReplicas: 11} | autoscaling.minReplicas is 11: want at"
            + " most autoscaling.maxReplicas, 10",
        "autoscaling: {enabled: true, cpuPercent: 0, queueTime: {metric: ''}} |"
            + " autoscaling.queueTime.metric is empty",
        "tls: {http: true} | tls.secretName is empty",
        "tls: {clients: required} | tls.secretName is empty",
        "admin: {expose: true} | config.wukong.admin.ssl-bundle is not set",
        "{config: {wukong: {rows: {store: redis}}}, networkPolicy: {enabled: true}} |"
            + " networkPolicy.egress.redis.to is empty",
      })
  void values_thatDoNotFitEachOther_areRefused(String values, String said) {
    assertThatThrownBy(() -> render(values)).hasMessageContaining(said);
  }

  @ParameterizedTest
  @CsvSource({"kafka, apiServer", "apiServer, kafka"})
  void network_withoutAWayToWhatAClusterNeeds_isRefused(String named, String missing) {
    assertThatThrownBy(
            () ->
                cluster(
                    "networkPolicy:",
                    "  enabled: true",
                    "  egress: {%s: {to: [{podSelector: {}}]}}".formatted(named)))
        .hasMessageContaining("networkPolicy.egress.%s.to is empty".formatted(missing));
  }

  @Test
  void monitor_services_showEachPodOnce() throws IOException {
    Chart chart =
        cluster("trainer: {separate: true}", "monitoring: {serviceMonitor: {enabled: true}}");
    JsonNode wanted = chart.at("ServiceMonitor/" + NAME, "/spec/selector/matchLabels");
    List<String> scraped = new ArrayList<>();
    for (JsonNode service : chart.all("Service")) {
      JsonNode labels = service.at("/metadata/labels");
      if (wanted.properties().stream().allMatch(e -> e.getValue().equals(labels.get(e.getKey())))) {
        scraped.add(service.at("/metadata/name").asString());
      }
    }
    assertThat(scraped).containsExactlyInAnyOrder(NAME + "-pods", TRAINER + "-pods");
  }

  @ParameterizedTest
  @ValueSource(strings = {"serving", "rows", "learning", "cluster"})
  void dashboards_all_areThereForTheSidecar(String name) throws IOException {
    Chart chart =
        render("monitoring: {dashboards: {enabled: true, annotations: {grafana_folder: Ranking}}}");
    String map = "ConfigMap/%s-%s".formatted(NAME, name);
    assertThat(chart.at(map, "/metadata/labels/grafana_dashboard").asString()).isEqualTo("1");
    assertThat(chart.at(map, "/metadata/annotations/grafana_folder").asString())
        .isEqualTo("Ranking");
    assertThat(chart.dashboards()).extracting(d -> d.at("/uid").asString()).doesNotHaveDuplicates();
    for (JsonNode dashboard : chart.dashboards()) {
      assertThat(dashboard.at("/panels")).hasSizeGreaterThan(5);
      assertThat(dashboard.findValuesAsString("id")).doesNotHaveDuplicates();
    }
  }

  /** Alerts of learning and of a cluster are those of releases that learn, and have one. */
  @Test
  void alerts_groups_areThoseOfWhatIsRun() throws IOException {
    String rules = "monitoring: {rules: {enabled: true, alertLabels: {team: ads}}}";
    assertThat(groups(render(rules))).containsExactly(NAME + "-serving");
    assertThat(groups(render(rules, MODEL))).containsExactly(NAME + "-serving", NAME + "-learning");
    Chart all = cluster(rules);
    assertThat(groups(all))
        .containsExactly(NAME + "-serving", NAME + "-learning", NAME + "-cluster");
    JsonNode spec = all.at("PrometheusRule/" + NAME, "/spec");
    assertThat(spec.findValuesAsString("alert")).hasSizeGreaterThan(20).doesNotHaveDuplicates();
    assertThat(spec.findValues("labels")).allMatch(l -> l.at("/team").asString().equals("ads"));
    assertThat(all.expressions()).allMatch(e -> e.contains("namespace=\"ads\""));
  }

  private static List<String> groups(Chart chart) {
    return chart.at("PrometheusRule/" + NAME, "/spec/groups").findValuesAsString("name");
  }
}
