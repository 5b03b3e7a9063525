package dev.wukong.serving.cluster;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElector;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An election by a Lease of Kubernetes: who holds it renews it every two seconds, and gives up
 * after ten in which that did not work; another one takes it after fifteen.
 */
final class LeaseElection implements Election {
  private static final Logger log = LoggerFactory.getLogger(LeaseElection.class);

  /**
   * How long a lease lasts.
   *
   * @param lease after which another one takes it that was not renewed
   * @param deadline after which who holds it gives up, which is less
   * @param retry between tries
   */
  record Times(Duration lease, Duration deadline, Duration retry) {
    /** What Kubernetes' own parts use. */
    static final Times USUAL =
        new Times(Duration.ofSeconds(15), Duration.ofSeconds(10), Duration.ofSeconds(2));
  }

  private static final Duration LOOKS = Duration.ofMillis(200);
  private static final Duration CLOSE = Duration.ofSeconds(10);

  private final KubernetesClient client;
  private final WholeLease lock;
  private final String lease;
  private final Times times;
  private final Thread thread;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean won;
  private volatile long epoch;
  private volatile BooleanSupplier ready = () -> false;
  private volatile @Nullable CompletableFuture<?> running;

  /**
   * One of who is to train.
   *
   * @param client closed with this
   * @param namespace of the lease
   * @param name of the lease
   * @param replica who this is
   */
  LeaseElection(
      KubernetesClient client, String namespace, String name, String replica, Times times) {
    this.client = client;
    this.lock = new WholeLease(namespace, name, replica);
    this.lease = namespace + "/" + name;
    this.times = times;
    this.thread = Thread.ofPlatform().name("election-" + name).unstarted(this::work);
  }

  @Override
  public void start(BooleanSupplier whenReady) {
    ready = whenReady;
    thread.start();
  }

  private void work() {
    while (ended.getCount() > 0) {
      try {
        if (ready.getAsBoolean()) {
          stand();
        }
        boolean _ = ended.await(LOOKS.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Until it has had the lease and lost it. */
  private void stand() throws InterruptedException {
    LeaderElector elector =
        client
            .leaderElector()
            .withConfig(
                new LeaderElectionConfigBuilder()
                    .withName(lease)
                    .withLock(lock)
                    .withLeaseDuration(times.lease())
                    .withRenewDeadline(times.deadline())
                    .withRetryPeriod(times.retry())
                    .withReleaseOnCancel(true)
                    .withLeaderCallbacks(new LeaderCallbacks(this::win, this::lose, this::others))
                    .build())
            .build();
    CompletableFuture<?> run = elector.start();
    running = run;
    try {
      if (ended.getCount() > 0) {
        Object _ = run.get();
      } else {
        boolean _ = run.cancel(true);
      }
    } catch (ExecutionException | CancellationException e) {
      log.debug("the election by lease {} ends", lease, e);
    } finally {
      won = false;
      running = null;
    }
  }

  private void win() {
    try {
      LeaderElectionRecord record = lock.get(client);
      epoch = record == null ? 0 : record.getLeaderTransitions() + 1L;
    } catch (KubernetesClientException e) {
      epoch = 0; // Whoever trains takes one above those that it knows.
    }
    won = true;
    log.info("lease {}: held by this replica", lease);
  }

  private void lose() {
    won = false;
    log.info("lease {}: not held by this replica any more", lease);
  }

  private void others(@Nullable String holder) {
    boolean nobody = holder == null || holder.isEmpty();
    log.info("lease {}: held by {}", lease, nobody ? "nobody" : holder);
  }

  @Override
  public boolean won() {
    return won;
  }

  @Override
  public long epoch() {
    return epoch;
  }

  @Override
  public void close() {
    ended.countDown();
    CompletableFuture<?> run = running;
    if (run != null) {
      boolean _ = run.cancel(true);
    }
    try {
      if (thread.isAlive() && !thread.join(CLOSE)) {
        log.warn("the election by lease {} does not end", lease);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    lock.end(client);
    client.close();
  }
}
