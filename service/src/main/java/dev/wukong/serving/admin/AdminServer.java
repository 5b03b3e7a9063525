package dev.wukong.serving.admin;

import dev.wukong.serving.security.CountedConnections;
import io.grpc.BindableService;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerTransportFilter;
import io.grpc.TlsServerCredentials;
import io.grpc.TlsServerCredentials.ClientAuth;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.context.SmartLifecycle;

/**
 * The port of operators: apart from that of callers, so that a network can keep it to itself.
 * Started and stopped by Spring.
 */
public final class AdminServer implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(AdminServer.class);
  private static final long STOP_SECONDS = 5;
  private static final int MAX_REQUEST = 64 << 10;
  private static final int MAX_METADATA = 8 << 10;
  private static final int MAX_CALLS = 16;

  private final InetSocketAddress address;
  private final @Nullable SslBundle ssl;
  private final List<BindableService> services;
  private final List<ServerInterceptor> interceptors;
  private final ServerTransportFilter connections;
  private final int resets;
  private final CountedConnections counted;
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("admin-", 0).factory());
  private volatile @Nullable Server server;

  /**
   * A server that is not started yet.
   *
   * @param ssl null: without encryption; with trusted certificates only their owners may call
   * @param interceptors around every call; the last one is called first
   * @param connections told of every connection
   * @param resets calls that a caller may reset in 30 s
   * @param counted threads of its connections; closed with it
   */
  public AdminServer(
      InetSocketAddress address,
      @Nullable SslBundle ssl,
      List<BindableService> services,
      List<ServerInterceptor> interceptors,
      ServerTransportFilter connections,
      int resets,
      CountedConnections counted) {
    this.address = address;
    this.ssl = ssl;
    this.services = List.copyOf(services);
    this.interceptors = List.copyOf(interceptors);
    this.connections = connections;
    this.resets = resets;
    this.counted = counted;
  }

  @Override
  public void start() {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(address, credentials())
            .executor(threads)
            .maxInboundMessageSize(MAX_REQUEST)
            .maxInboundMetadataSize(MAX_METADATA)
            .maxConcurrentCallsPerConnection(MAX_CALLS)
            .maxRstFramesPerWindow(resets, 30)
            .handshakeTimeout(10, TimeUnit.SECONDS)
            .maxConnectionIdle(5, TimeUnit.MINUTES)
            .maxConnectionAge(30, TimeUnit.MINUTES)
            // An export takes as long as it takes.
            .maxConnectionAgeGrace(1, TimeUnit.HOURS)
            .permitKeepAliveTime(10, TimeUnit.SECONDS)
            .addTransportFilter(connections)
            .addService(ProtoReflectionServiceV1.newInstance());
    counted.serve(builder);
    services.forEach(builder::addService);
    interceptors.forEach(builder::intercept);
    try {
      server = builder.build().start();
    } catch (IOException e) {
      throw new AdminPortException(address, e);
    }
    log.info("operators are served on {}:{}", address.getHostString(), port());
  }

  private ServerCredentials credentials() {
    if (ssl == null) {
      return InsecureServerCredentials.create();
    }
    TlsServerCredentials.Builder tls =
        TlsServerCredentials.newBuilder().keyManager(ssl.getManagers().getKeyManagers());
    if (ssl.getStores().getTrustStore() != null) {
      tls.trustManager(ssl.getManagers().getTrustManagers()).clientAuth(ClientAuth.REQUIRE);
    }
    return tls.build();
  }

  /** What it serves; nothing before it does. */
  public List<ServerServiceDefinition> services() {
    Server running = server;
    return running == null ? List.of() : running.getServices();
  }

  /** The port taken; -1 before it is. */
  public int port() {
    Server running = server;
    return running == null ? -1 : running.getPort();
  }

  @Override
  public void stop() {
    Server running = server;
    if (running == null) {
      return;
    }
    server = null;
    running.shutdown();
    try {
      if (!running.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
        running.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      running.shutdownNow();
    }
    threads.shutdown();
    counted.close();
  }

  @Override
  public boolean isRunning() {
    return server != null;
  }
}
