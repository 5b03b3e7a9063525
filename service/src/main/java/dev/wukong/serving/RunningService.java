package dev.wukong.serving;

import dev.wukong.serving.rehearsal.Rehearsal;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

/**
 * The service as its context has started it.
 *
 * @param context closed with it
 */
public record RunningService(ConfigurableApplicationContext context) implements Rehearsal.Running {
  @Override
  public int grpcPort() {
    return context.getBean("nettyGrpcServerLifecycle", GrpcServerLifecycle.class).getPort();
  }

  @Override
  public int httpPort() {
    return context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
  }

  @Override
  public void close() {
    context.close();
  }
}
