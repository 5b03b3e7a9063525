package dev.wukong.serving;

import java.net.URI;
import java.util.Map;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ApplicationListener;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;

/**
 * Leaves tracing out where there is no place to send traces to: no thread, no spans, no connection.
 * Called by Spring once, before there are beans.
 */
final class TracingSwitch
    implements ApplicationListener<ApplicationEnvironmentPreparedEvent>, Ordered {
  /** Where traces go. */
  static final String ENDPOINT = "management.opentelemetry.tracing.export.otlp.endpoint";

  /** How they go there. */
  private static final String TRANSPORT = "management.opentelemetry.tracing.export.otlp.transport";

  /** Share of calls that are traced where the caller does not say. */
  static final String PROBABILITY = "management.tracing.sampling.probability";

  @Override
  public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
    ConfigurableEnvironment environment = event.getEnvironment();
    Binder binder = Binder.get(environment);
    double probability = binder.bind(PROBABILITY, Double.class).orElse(0.1);
    SettingException.require(
        probability >= 0 && probability <= 1, PROBABILITY, probability, "are 0 to 1");
    String transport = binder.bind(TRANSPORT, String.class).orElse("http");
    SettingException.require(
        transport.equalsIgnoreCase("http"), TRANSPORT, "'%s'".formatted(transport), "is http");
    String endpoint = binder.bind(ENDPOINT, String.class).orElse("");
    if (endpoint.isEmpty()) {
      environment
          .getPropertySources()
          .addLast(
              new MapPropertySource(
                  "no traces",
                  Map.of(
                      "management.opentelemetry.enabled",
                      "false",
                      "management.tracing.export.enabled",
                      "false")));
      return;
    }
    SettingException.require(
        isHttp(endpoint),
        ENDPOINT,
        "'%s'".formatted(endpoint),
        "are such as http://host:4318/v1/traces");
  }

  private static boolean isHttp(String endpoint) {
    try {
      URI uri = URI.create(endpoint);
      return uri.getHost() != null
          && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** After all that reads settings, from files and from OpenTelemetry's own variables. */
  @Override
  public int getOrder() {
    return LOWEST_PRECEDENCE;
  }
}
