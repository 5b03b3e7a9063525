package dev.wukong.serving.embedding;

import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.RedisCommand;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What the client of a Redis cluster is told, so that {@code settings} hold. Any thread. */
record RedisOptions(RedisSettings settings) {
  /** Commands that may wait for one node; more are refused. A read of all shards is 64. */
  private static final int QUEUE = 1 << 14;

  private static final int WRITE_TIMEOUTS = 10;
  private static final Duration SHORTEST_WRITE = Duration.ofSeconds(1);

  /** How often the cluster is asked who its nodes are, without a reason and with one. */
  private static final Duration REFRESH = Duration.ofSeconds(10);

  static final Duration SUSPICION = Duration.ofSeconds(1);

  /** So long a write may take. */
  Duration writeTimeout() {
    Duration times = settings.timeout().multipliedBy(WRITE_TIMEOUTS);
    return times.compareTo(SHORTEST_WRITE) < 0 ? SHORTEST_WRITE : times;
  }

  /** Where to ask for the nodes, and as whom. */
  List<RedisURI> locations() {
    return settings.addresses().stream().map(this::location).toList();
  }

  private RedisURI location(String address) {
    RedisURI.Builder location =
        RedisURI.builder()
            .withHost(RedisSettings.host(address))
            .withPort(RedisSettings.port(address))
            .withTimeout(writeTimeout())
            .withSsl(settings.tls().isPresent());
    char[] password = settings.password().toCharArray();
    if (!settings.user().isEmpty()) {
      location.withAuthentication(settings.user(), password);
    } else if (password.length > 0) {
      location.withPassword(password);
    }
    return location.build();
  }

  /** How to connect, and how long to wait. */
  ClusterClientOptions client() {
    // Besides, whatever says that a node is gone or has moved makes it ask: that is the default.
    ClusterTopologyRefreshOptions topology =
        ClusterTopologyRefreshOptions.builder()
            .enablePeriodicRefresh(REFRESH)
            .adaptiveRefreshTriggersTimeout(SUSPICION)
            .refreshTriggersReconnectAttempts(1)
            .build();
    ClusterClientOptions.Builder options =
        ClusterClientOptions.builder()
            .topologyRefreshOptions(topology)
            .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
            .requestQueueSize(QUEUE)
            .socketOptions(SocketOptions.builder().connectTimeout(settings.timeout()).build())
            .timeoutOptions(TimeoutOptions.builder().timeoutSource(timeouts()).build());
    settings.tls().ifPresent(tls -> options.sslOptions(encryption(tls)));
    return options.build();
  }

  private static SslOptions encryption(RedisTls tls) {
    SslOptions.Builder options = SslOptions.builder().jdkSslProvider();
    tls.keys().ifPresent(options::keyManager);
    tls.trust().ifPresent(options::trustManager);
    return options.build();
  }

  private TimeoutOptions.TimeoutSource timeouts() {
    return new TimeoutOptions.TimeoutSource() {
      @Override
      public long getTimeout(RedisCommand<?, ?, ?> command) {
        boolean reads = command.getType() == CommandType.MGET;
        return (reads ? settings.timeout() : writeTimeout()).toMillis();
      }

      @Override
      public TimeUnit getTimeUnit() {
        return TimeUnit.MILLISECONDS;
      }
    };
  }
}
