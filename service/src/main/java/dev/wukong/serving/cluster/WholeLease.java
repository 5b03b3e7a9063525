package dev.wukong.serving.cluster;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpecBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.Lock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is written in a Lease, each time as a whole. The client's own lock sends a change of it, in
 * which a holder that is none any more is left out and so stays the holder until the lease ends;
 * and it can't read a Lease that says nothing, as a chart makes it. Both are free here at once.
 *
 * <p>Threads: one after the other, as the elector calls it.
 */
final class WholeLease implements Lock {
  private static final ZonedDateTime LONG_AGO = Instant.EPOCH.atZone(ZoneOffset.UTC);

  private final String namespace;
  private final String name;
  private final String identity;
  private @Nullable Lease found;

  WholeLease(String namespace, String name, String identity) {
    this.namespace = namespace;
    this.name = name;
    this.identity = identity;
  }

  @Override
  public synchronized @Nullable LeaderElectionRecord get(KubernetesClient client) {
    found = client.leases().inNamespace(namespace).withName(name).get();
    if (found == null) {
      return null;
    }
    Optional<LeaseSpec> spec = Optional.ofNullable(found.getSpec());
    return new LeaderElectionRecord(
        spec.map(LeaseSpec::getHolderIdentity).orElse(""),
        Duration.ofSeconds(spec.map(LeaseSpec::getLeaseDurationSeconds).orElse(1)),
        spec.map(LeaseSpec::getAcquireTime).orElse(LONG_AGO),
        spec.map(LeaseSpec::getRenewTime).orElse(LONG_AGO),
        spec.map(LeaseSpec::getLeaseTransitions).orElse(0));
  }

  @Override
  public synchronized void create(KubernetesClient client, LeaderElectionRecord record) {
    found =
        client
            .resource(
                new LeaseBuilder()
                    .withNewMetadata()
                    .withNamespace(namespace)
                    .withName(name)
                    .endMetadata()
                    .withSpec(spec(record))
                    .build())
            .create();
  }

  /** Refused by the API where somebody has written since {@link #get}. */
  @Override
  public synchronized void update(KubernetesClient client, LeaderElectionRecord record) {
    Lease next =
        new LeaseBuilder(Objects.requireNonNull(found, "read before it is written"))
            .withSpec(spec(record))
            .build();
    found = client.resource(next).update();
  }

  private static LeaseSpec spec(LeaderElectionRecord record) {
    return new LeaseSpecBuilder()
        .withHolderIdentity(record.getHolderIdentity())
        .withLeaseDurationSeconds((int) Math.max(1, record.getLeaseDuration().toSeconds()))
        .withAcquireTime(record.getAcquireTime())
        .withRenewTime(record.getRenewTime())
        .withLeaseTransitions(record.getLeaderTransitions())
        .build();
  }

  @Override
  public String identity() {
    return identity;
  }

  @Override
  public String describe() {
    return "lease " + namespace + "/" + name;
  }
}
