package dev.wukong.serving.testing;

import dev.wukong.serving.RunningService;
import dev.wukong.serving.ServingApplication;
import dev.wukong.serving.admin.AdminServer;
import dev.wukong.serving.hosting.ModelHost;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;

/** The whole service on ports of its own, and a channel to it. */
public final class Served implements AutoCloseable {
  private final RunningService service;
  private final ManagedChannel channel;

  private Served(RunningService service) {
    this.service = service;
    this.channel = NettyChannelBuilder.forTarget("localhost:" + grpcPort()).usePlaintext().build();
  }

  /** Starts the service over {@code root}; further settings are {@code name=value}. */
  public static Served start(Path root, String... settings) {
    return start(root, Parts.SERVICE, settings);
  }

  /** Starts it likewise, with some parts instead of its own. */
  public static Served start(Path root, Parts parts, String... settings) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("wukong.bundle-root", root.toString());
    all.put("wukong.rows.store-dir", root.resolveSibling(root.getFileName() + ".store").toString());
    all.put(
        "wukong.online.events-dir", root.resolveSibling(root.getFileName() + ".events").toString());
    all.put("wukong.poll", "20ms");
    all.put("wukong.lame-duck", "0ms");
    all.put("wukong.engine.threads", "1");
    all.put("wukong.engine.runs", "1"); // What holds the only batch thread holds all.
    all.put("spring.grpc.server.port", "0");
    all.put("server.port", "0");
    all.put("wukong.admin.port", "0");
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      all.put(setting.substring(0, equals), setting.substring(equals + 1));
    }
    List<String> arguments = new ArrayList<>();
    all.forEach((name, value) -> arguments.add("--" + name + "=" + value));
    return new Served(
        new RunningService(
            new SpringApplicationBuilder(ServingApplication.class)
                .web(WebApplicationType.SERVLET)
                .registerShutdownHook(false)
                .initializers(parts::putInto)
                .run(arguments.toArray(String[]::new))));
  }

  /** Starts it likewise, and waits until {@code version} of {@code model} serves. */
  public static Served serving(Path root, String model, long version, String... settings)
      throws Exception {
    return serving(root, Parts.SERVICE, model, version, settings);
  }

  /** The same with some parts instead of its own. */
  public static Served serving(
      Path root, Parts parts, String model, long version, String... settings) throws Exception {
    Served served = start(root, parts, settings);
    try {
      served.awaitServing(model, version);
      return served;
    } catch (Exception | AssertionError e) {
      served.close();
      throw e;
    }
  }

  /** The port of gRPC. */
  public int grpcPort() {
    return service.grpcPort();
  }

  /** The port of REST. */
  public int httpPort() {
    return service.httpPort();
  }

  /** The port of operators. */
  public int adminPort() {
    return service.context().getBean(AdminServer.class).port();
  }

  /** A channel to the gRPC port. */
  public ManagedChannel channel() {
    return channel;
  }

  /** A bean of the service. */
  public <T> T bean(Class<T> type) {
    return service.context().getBean(type);
  }

  /** All beans of a type. */
  public <T> Collection<T> beans(Class<T> type) {
    return service.context().getBeansOfType(type).values();
  }

  /** Waits until {@code version} of {@code model} answers those who ask for none. */
  public void awaitServing(String model, long version) throws Exception {
    ModelHost host = bean(ModelHost.class);
    await(
        "version %d of '%s' serves".formatted(version, model),
        () -> host.model(model).map(m -> m.servingVersion() == version).orElse(false));
  }

  /** Waits until {@code condition} holds, for at most 5 minutes. */
  public static void await(String what, Condition condition) throws Exception {
    long end = System.nanoTime() + Duration.ofMinutes(5).toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not within 5 minutes: " + what);
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
    service.close();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    service.close();
  }
}
