package dev.wukong.serving.testing;

import dev.wukong.serving.ServingApplication;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

/** The whole service on ports of its own, and a channel to it. */
public final class Served implements AutoCloseable {
  private final ConfigurableApplicationContext context;
  private final ManagedChannel channel;

  private Served(ConfigurableApplicationContext context) {
    this.context = context;
    this.channel = NettyChannelBuilder.forTarget("localhost:" + grpcPort()).usePlaintext().build();
  }

  /** Starts the service over {@code root}; further settings as on the command line, without the dashes. */
  public static Served start(Path root, String... settings) {
    List<String> arguments = new ArrayList<>();
    arguments.add("--wukong.bundle-root=" + root);
    arguments.add("--wukong.rows.store-dir=" + root.resolveSibling(root.getFileName() + ".store"));
    arguments.add("--wukong.poll=20ms");
    arguments.add("--wukong.lame-duck=0ms");
    arguments.add("--wukong.engine.threads=1");
    arguments.add("--spring.grpc.server.port=0");
    arguments.add("--server.port=0");
    for (String setting : settings) {
      arguments.add("--" + setting);
    }
    return new Served(
        new SpringApplicationBuilder(ServingApplication.class)
            .web(WebApplicationType.SERVLET)
            .registerShutdownHook(false)
            .run(arguments.toArray(String[]::new)));
  }

  /** The port of gRPC. */
  public int grpcPort() {
    return context.getBean(GrpcServerLifecycle.class).getPort();
  }

  /** The port of REST. */
  public int httpPort() {
    return context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
  }

  /** A channel to the gRPC port. */
  public ManagedChannel channel() {
    return channel;
  }

  /** A bean of the service. */
  public <T> T bean(Class<T> type) {
    return context.getBean(type);
  }

  /** Waits until {@code condition} holds, for at most 30 s. */
  public static void await(String what, Condition condition) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not within 30 s: " + what);
      }
      Thread.onSpinWait();
      Thread.sleep(5);
    }
  }

  /** Something that becomes true. */
  @FunctionalInterface
  public interface Condition {
    boolean holds() throws Exception;
  }

  /** Stops the service as a signal would. */
  public void stop() {
    context.close();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    context.close();
  }
}
