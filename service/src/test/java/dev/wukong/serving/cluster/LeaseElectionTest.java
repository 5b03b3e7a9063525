package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.testing.Served;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import java.io.File;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Elections by a Lease of what speaks as Kubernetes' API does; of a real cluster where {@code
 * -Dkubernetes.config=FILE} names its kubeconfig, by who stands there under the context {@code
 * replica}, and with the rights that the chart gives it, in the namespace {@code ads}.
 */
@EnableKubernetesMockClient(crud = true)
class LeaseElectionTest {
  private static final LeaseElection.Times SHORT =
      new LeaseElection.Times(Duration.ofMinutes(2), Duration.ofMinutes(1), Duration.ofMillis(50));

  KubernetesMockServer server = new KubernetesMockServer(false);
  private final List<Election> open = new ArrayList<>();

  @BeforeEach
  void begin() {
    if (isReal()) {
      // The chart makes it, as a replica may not.
      try (KubernetesClient client = client("")) {
        var _ = client.leases().inNamespace("ads").withName("wukong-trainer").delete();
        Lease _ = client.resource(unheld(new LeaseSpec())).create();
      }
    }
  }

  @AfterEach
  void closeAll() {
    open.forEach(Election::close);
  }

  private static boolean isReal() {
    return System.getProperty("kubernetes.config") != null;
  }

  /**
   * Of who may do all, or of a context.
   *
   * @param context empty: the kubeconfig's own
   */
  private KubernetesClient client(String context) {
    String file = System.getProperty("kubernetes.config");
    if (file == null) {
      return server.createClient();
    }
    return new KubernetesClientBuilder()
        .withConfig(Config.fromKubeconfig(context.isEmpty() ? null : context, new File(file)))
        .build();
  }

  private static Lease unheld(@Nullable LeaseSpec spec) {
    Lease made =
        new LeaseBuilder()
            .withNewMetadata()
            .withNamespace("ads")
            .withName("wukong-trainer")
            .endMetadata()
            .build();
    made.setSpec(spec);
    return made;
  }

  private LeaseElection stand(String replica, boolean ready) {
    LeaseElection election =
        new LeaseElection(client("replica"), "ads", "wukong-trainer", replica, SHORT);
    open.add(election);
    election.start(() -> ready);
    return election;
  }

  private String holder() {
    try (KubernetesClient client = client("")) {
      Lease lease = client.leases().inNamespace("ads").withName("wukong-trainer").get();
      LeaseSpec spec = lease == null ? null : lease.getSpec();
      String holder = spec == null ? null : spec.getHolderIdentity();
      return holder == null ? "" : holder;
    }
  }

  @Test
  void won_severalStand_isOneOfThem() throws Exception {
    LeaseElection one = stand("one", true);
    Served.await("one has it", one::won);
    LeaseElection two = stand("two", true);
    assertThat(holder()).isEqualTo("one");
    assertThat(two.won()).isFalse();
    long epoch = one.epoch();

    open.remove(one);
    one.close();
    Served.await("the other has it", two::won);
    assertThat(one.won()).isFalse();
    assertThat(holder()).isEqualTo("two");
    assertThat(two.epoch()).isGreaterThan(epoch);
  }

  /** As the chart makes it: it says nothing. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void won_leaseThatWasMadeBefore_isTakenAndGivenBack(boolean empty) throws Exception {
    // The API server gives what nobody has filled in as empty.
    Lease made = unheld(empty ? new LeaseSpec() : null);
    try (KubernetesClient client = client("")) {
      var _ = client.leases().inNamespace("ads").withName("wukong-trainer").delete();
      Lease _ = client.resource(made).create();
    }
    LeaseElection one = stand("one", true);
    Served.await("one has it", one::won);
    open.remove(one);
    one.close();
    Served.await("it is free", () -> holder().isEmpty());
  }

  /** As a renewal does that was under way when the election ended. */
  @Test
  void end_somethingIsWrittenLater_itStaysFree() {
    try (KubernetesClient client = client("replica")) {
      WholeLease lock = new WholeLease("ads", "wukong-trainer", "one");
      ZonedDateTime now = ZonedDateTime.now(ZoneOffset.UTC);
      LeaderElectionRecord held =
          new LeaderElectionRecord("one", Duration.ofMinutes(2), now, now, 3);
      if (lock.get(client) == null) {
        lock.create(client, held);
      } else {
        lock.update(client, held);
      }
      assertThat(holder()).isEqualTo("one");
      LeaderElectionRecord read = lock.get(client);
      assertThat(read).isNotNull();
      lock.end(client);
      assertThat(holder()).isEmpty();
      assertThatThrownBy(() -> lock.update(client, held))
          .isInstanceOf(KubernetesClientException.class);
      assertThatThrownBy(() -> lock.create(client, held))
          .isInstanceOf(KubernetesClientException.class);
      assertThat(holder()).isEmpty();
    }
  }

  @Test
  void won_notReady_leavesItToOthers() throws Exception {
    LeaseElection behind = stand("behind", false);
    LeaseElection ready = stand("ready", true);
    Served.await("who is ready has it", ready::won);
    assertThat(behind.won()).isFalse();
    assertThat(holder()).isEqualTo("ready");
  }

  @Test
  void won_theLeaseIsTakenAway_isSeen() throws Exception {
    LeaseElection one = stand("one", true);
    Served.await("one has it", one::won);
    try (KubernetesClient client = client("")) {
      Served.await("it is taken", () -> take(client));
    }
    Served.await("it is seen", () -> !one.won());
    assertThat(holder()).isEqualTo("somebody");
  }

  /** As one does who does not ask; whether nobody renewed it at that moment. */
  private static boolean take(KubernetesClient client) {
    try {
      Lease _ =
          client
              .leases()
              .inNamespace("ads")
              .withName("wukong-trainer")
              .edit(
                  lease -> {
                    lease.getSpec().setHolderIdentity("somebody");
                    lease.getSpec().setLeaseDurationSeconds(3600);
                    return lease;
                  });
      return true;
    } catch (KubernetesClientException e) {
      return false;
    }
  }
}
