package dev.wukong.serving.embedding;

import io.lettuce.core.ReadFrom;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisAdvancedClusterAsyncCommands;
import io.lettuce.core.cluster.event.ClusterTopologyChangedEvent;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.ConnectionIntent;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import reactor.core.Disposable;

/** The connections to the nodes of a Redis cluster. Any thread. */
final class RedisConnection implements AutoCloseable {
  private static final System.Logger log = System.getLogger(RedisConnection.class.getName());

  /** How often the cluster is asked who its nodes are, with a reason. */
  private static final Duration SUSPICION = RedisOptions.SUSPICION;

  /** Between two tries to connect again. */
  private static final Duration SHORTEST_DELAY = Duration.ofMillis(10);

  private static final Duration LONGEST_DELAY = Duration.ofMillis(500);

  private static final int SLOTS = 16_384;

  /** For the first connection, while no node says why there is none. */
  private static final int MOST_TRIES = 10;

  private final RedisSettings settings;
  private final Duration writeTimeout;
  private final ClientResources resources;
  private final RedisClusterClient client;
  private final StatefulRedisClusterConnection<byte[], byte[]> connection;
  private final AtomicLong suspected = new AtomicLong(System.nanoTime());
  private final Disposable listening;
  private final Duration replication;
  private volatile boolean closed;

  /**
   * Connects.
   *
   * @throws StoreException if that fails
   */
  RedisConnection(RedisSettings settings) {
    this(settings, RedisTimes.ordinary());
  }

  /** The same where things last as long as {@code times} say. */
  RedisConnection(RedisSettings settings, RedisTimes times) {
    this.settings = settings;
    this.replication = times.replication();
    RedisOptions options = new RedisOptions(settings);
    this.writeTimeout = options.writeTimeout();
    // Two threads write and read for all nodes; what they do is little.
    this.resources =
        ClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            .reconnectDelay(
                Delay.fullJitter(SHORTEST_DELAY, LONGEST_DELAY, 1, TimeUnit.MILLISECONDS))
            .build();
    this.client = RedisClusterClient.create(resources, options.locations());
    boolean connected = false;
    try {
      client.setOptions(options.client());
      this.connection = connect(client);
      // Where a master is down its replica answers: older rows, perhaps, but values have versions.
      connection.setReadFrom(ReadFrom.MASTER_PREFERRED);
      // Commands are refused where there is no connection yet, so there is one before the first.
      Void _ = await(connectAll(Level.WARNING), "connecting to all nodes");
      listening =
          resources
              .eventBus()
              .get()
              .filter(ClusterTopologyChangedEvent.class::isInstance)
              .subscribe(
                  changed -> {
                    CompletableFuture<Void> _ = connectAll(Level.DEBUG);
                  });
      connected = true;
    } catch (RedisException e) {
      throw new StoreException(
          "cannot reach a Redis cluster at %s: %s"
              .formatted(settings.addresses(), RedisReason.of(e)),
          e);
    } finally {
      if (!connected) {
        shutdown();
      }
    }
  }

  /** Tries again where a node has hung up and nobody knows why: whoever waits is to be told. */
  private static StatefulRedisClusterConnection<byte[], byte[]> connect(RedisClusterClient client) {
    for (int left = MOST_TRIES; ; left--) {
      try {
        return client.connect(ByteArrayCodec.INSTANCE);
      } catch (RedisException e) {
        if (left == 1 || !RedisReason.isUnsaid(e)) {
          throw e;
        }
      }
    }
  }

  /**
   * Connects to the nodes to which there is no connection; done when each has or could not be.
   *
   * @param level of what is said where one could not: it is down, or grants this user too little
   */
  private CompletableFuture<Void> connectAll(Level level) {
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (RedisClusterNode node : connection.getPartitions()) {
      for (ConnectionIntent intent : ConnectionIntent.values()) {
        all.add(
            connection
                .getConnectionAsync(node.getUri().getHost(), node.getUri().getPort(), intent)
                .exceptionally(
                    failure -> {
                      log.log(
                          level, "{0} cannot be used: {1}", address(node), RedisReason.of(failure));
                      return null;
                    }));
      }
    }
    return CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new));
  }

  private static String address(RedisClusterNode node) {
    return node.getUri().getHost() + ":" + node.getUri().getPort();
  }

  RedisSettings settings() {
    return settings;
  }

  /**
   * To send something.
   *
   * @throws StoreException if this is closed
   */
  RedisAdvancedClusterAsyncCommands<byte[], byte[]> commands() {
    requireOpen();
    return connection.async();
  }

  void requireOpen() {
    if (closed) {
      throw new StoreException("the row store is closed", null);
    }
  }

  /** Sends a script, whose keys lie in one slot; its source only where the node lacks it. */
  <T> CompletionStage<T> run(
      RedisScript script, ScriptOutputType type, byte[][] keys, byte[]... arguments) {
    RedisAdvancedClusterAsyncCommands<byte[], byte[]> commands = commands();
    CompletionStage<T> known = commands.evalsha(script.digest(), type, keys, arguments);
    return known.exceptionallyCompose(
        failure -> {
          if (RedisReason.cause(failure) instanceof RedisNoScriptException) {
            return commands.eval(script.source(), type, keys, arguments);
          }
          return CompletableFuture.failedStage(failure);
        });
  }

  /**
   * What {@code sent} gives.
   *
   * @param doing for the error
   * @throws StoreException if it fails, or takes too long
   */
  <T> T await(CompletionStage<T> sent, String doing) {
    try {
      // Each command has a timeout of its own, so that this one is for what comes beside it.
      return sent.toCompletableFuture().get(2 * writeTimeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      suspect();
      throw new StoreException("%s failed: %s".formatted(doing, RedisReason.of(e)), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("%s was interrupted".formatted(doing), e);
    }
  }

  /** Has the cluster asked who its nodes are, as one seems to be gone; at most once a while. */
  void suspect() {
    long now = System.nanoTime();
    long last = suspected.get();
    if (!closed && now - last > SUSPICION.toNanos() && suspected.compareAndSet(last, now)) {
      CompletionStage<Void> _ =
          client
              .refreshPartitionsAsync()
              .exceptionally(
                  failure -> {
                    log.log(Level.DEBUG, "no node says who the others are", failure);
                    return null;
                  });
    }
  }

  /**
   * The nodes that take writes.
   *
   * @throws StoreException if some of the cluster's slots have none
   */
  List<RedisClusterNode> masters() {
    requireOpen();
    List<RedisClusterNode> masters = new ArrayList<>();
    int slots = 0;
    for (RedisClusterNode node : connection.getPartitions()) {
      if (node.getRole().isUpstream() && !node.getSlots().isEmpty()) {
        masters.add(node);
        slots += node.getSlots().size();
      }
    }
    if (slots != SLOTS) {
      throw new StoreException(
          "%d of the cluster's %d slots have no master".formatted(SLOTS - slots, SLOTS),
          new RedisException("slots without a master"));
    }
    masters.sort(Comparator.comparing(RedisClusterNode::getNodeId));
    return masters;
  }

  /** Says which nodes take writes, and for which slots: another text when that has changed. */
  List<String> masterNames() {
    return masters().stream()
        .map(master -> master.getNodeId() + " " + master.getSlots().hashCode())
        .toList();
  }

  /** Asks the cluster who its nodes are. */
  void refresh() {
    requireOpen();
    Void _ = await(client.refreshPartitionsAsync(), "asking for the cluster's nodes");
  }

  /** The connection over which writes to {@code node} go. */
  CompletionStage<RedisAsyncCommands<byte[], byte[]>> node(RedisClusterNode node) {
    requireOpen();
    return connection
        .getConnectionAsync(node.getUri().getHost(), node.getUri().getPort())
        .thenApply(StatefulRedisConnection::async);
  }

  /**
   * Waits a while for a replica of each master that has one to have all that was written; whether
   * they have.
   */
  boolean replicate() {
    Set<String> copied = new HashSet<>();
    for (RedisClusterNode node : connection.getPartitions()) {
      if (node.getSlaveOf() != null) {
        copied.add(node.getSlaveOf());
      }
    }
    boolean all = true;
    List<Future<Long>> waits = new ArrayList<>();
    for (RedisClusterNode master : masters()) {
      if (copied.contains(master.getNodeId())) {
        waits.add(
            node(master)
                .thenCompose(to -> to.waitForReplication(1, replication.toMillis()))
                .toCompletableFuture());
      }
    }
    for (Future<Long> wait : waits) {
      try {
        long replicas = wait.get(writeTimeout.toMillis(), TimeUnit.MILLISECONDS);
        all &= replicas > 0;
      } catch (ExecutionException | TimeoutException e) {
        // It only narrows what a failover can lose.
        all = false;
        log.log(Level.DEBUG, "no replica says that it has what was written", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StoreException("waiting for replicas was interrupted", e);
      }
    }
    return all;
  }

  /** Does something short that does not wait, from time to time until this is closed. */
  void every(Duration pause, Runnable task) {
    Future<?> _ =
        resources
            .eventExecutorGroup()
            .scheduleAtFixedRate(
                () -> {
                  try {
                    if (!closed) {
                      task.run();
                    }
                  } catch (RuntimeException e) {
                    // Whatever it is: or it would never be done again.
                    log.log(Level.DEBUG, "tried again later", e);
                  }
                },
                pause.toNanos(),
                pause.toNanos(),
                TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      listening.dispose();
      connection.close();
      shutdown();
    }
  }

  private void shutdown() {
    // Who is connecting still finds the threads that it needs for a moment.
    client.shutdown(0, 2000, TimeUnit.MILLISECONDS);
    Future<Boolean> _ = resources.shutdown(100, 2000, TimeUnit.MILLISECONDS);
  }
}
