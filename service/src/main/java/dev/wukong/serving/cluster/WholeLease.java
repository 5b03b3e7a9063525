package dev.wukong.serving.cluster;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpecBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.Lock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is written in a Lease, each time as a whole. The client's own lock sends a change of it, in
 * which a holder that is none any more is left out and so stays the holder until the lease ends;
 * and it can't read a Lease that says nothing, as a chart makes it. Both are free here at once.
 *
 * <p>Any thread: whoever ends an election does not wait for what its elector has under way.
 */
final class WholeLease implements Lock {
  private static final Logger log = LoggerFactory.getLogger(WholeLease.class);
  private static final int TRIES = 3;
  private static final ZonedDateTime LONG_AGO = Instant.EPOCH.atZone(ZoneOffset.UTC);

  private final String namespace;
  private final String name;
  private final String identity;
  private @Nullable Lease found;
  private boolean ended;

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
    requireOpen();
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
    requireOpen();
    write(client, spec(record));
  }

  private void write(KubernetesClient client, LeaseSpec spec) {
    Lease next =
        new LeaseBuilder(Objects.requireNonNull(found, "read before it is written"))
            .withSpec(spec)
            .build();
    found = client.resource(next).update();
  }

  private void requireOpen() {
    if (ended) {
      throw new KubernetesClientException("the election has ended here");
    }
  }

  /**
   * Gives it back where this replica has it, and writes nothing more: a renewal that was under way
   * would have it held by nobody alive.
   */
  synchronized void end(KubernetesClient client) {
    ended = true;
    for (int tries = 0; tries < TRIES; tries++) {
      try {
        LeaderElectionRecord held = get(client);
        if (held == null || !identity.equals(held.getHolderIdentity())) {
          return;
        }
        ZonedDateTime now = ZonedDateTime.now(ZoneOffset.UTC);
        write(
            client,
            new LeaseSpecBuilder()
                .withLeaseDurationSeconds(1)
                .withAcquireTime(now)
                .withRenewTime(now)
                .withLeaseTransitions(held.getLeaderTransitions())
                .build());
        return;
      } catch (KubernetesClientException e) {
        // Somebody has written since it was read, or nobody answers: then it ends by itself.
        log.debug("{} is not given back", describe(), e);
      }
    }
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
