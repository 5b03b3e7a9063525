package dev.wukong.serving;

import dev.wukong.serving.security.ConnectionCount;
import dev.wukong.serving.security.CountedConnections;
import io.grpc.netty.NettyServerBuilder;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.TimeUnit;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.grpc.server.ServerBuilderCustomizer;

/** Bounds on connections of gRPC. */
@Configuration(proxyBeanMethods = false)
class EdgeConfiguration {
  /** Threads of a port's connections, which refuse those that are too many. */
  static CountedConnections counted(
      ServingProperties properties, String port, MeterRegistry meters) {
    ServingProperties.Limits limits = properties.limits();
    ConnectionCount count =
        new ConnectionCount(limits.connections(), limits.connectionsPerAddress());
    Gauge.builder("wukong.connections", count, ConnectionCount::open)
        .description("Connections of gRPC that are open")
        .tag("port", port)
        .register(meters);
    FunctionCounter.builder("wukong.connections.refused", count, ConnectionCount::refused)
        .description("Connections of gRPC that were too many, in all or of their address")
        .tag("port", port)
        .register(meters);
    return new CountedConnections(count);
  }

  @Bean
  CountedConnections connectionsOfCallers(ServingProperties properties, MeterRegistry meters) {
    return counted(properties, "callers", meters);
  }

  /** Bounds on what one connection may do, and on how many there are. */
  @Bean
  ServerBuilderCustomizer<NettyServerBuilder> connectionLimits(
      ServingProperties properties, CountedConnections connections, Environment environment) {
    // A socket in the file system has no addresses, and other threads.
    boolean counted =
        environment.getProperty("spring.grpc.server.netty.domain-socket-path") == null;
    return builder -> {
      if (counted) {
        connections.serve(builder);
      }
      builder
          .maxConcurrentCallsPerConnection(128)
          // A caller resets a stream for every call that it gives up: with short deadlines or
          // hedging hundreds a second. Beyond the limit the connection closes with all its other
          // calls, so it is for those only who do nothing but begin calls and reset them.
          .maxRstFramesPerWindow(properties.limits().resets(), 30)
          .handshakeTimeout(10, TimeUnit.SECONDS);
    };
  }
}
