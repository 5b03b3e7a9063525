package dev.wukong.serving;

import dev.wukong.serving.security.CallGuard;
import dev.wukong.serving.security.ConnectedCaller;
import dev.wukong.serving.sight.AccessLog;
import dev.wukong.serving.sight.AccessLogger;
import dev.wukong.serving.sight.CallMeters;
import dev.wukong.serving.sight.Sights;
import dev.wukong.serving.sight.TraceOrigin;
import dev.wukong.serving.sight.Traces;
import io.grpc.netty.NettyServerBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.grpc.MetricCollectingServerInterceptor;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.tracing.exporter.SpanExportingPredicate;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.time.Clock;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.grpc.server.ServerBuilderCustomizer;

/** What tells of calls: meters, traces, the access log. */
@Configuration(proxyBeanMethods = false)
class SightConfiguration {
  @Bean
  AccessLog accessLog(ServingProperties properties, MeterRegistry meters) {
    ServingProperties.AccessLog log = properties.accessLog();
    return new AccessLog(log.sample(), log.refusalsPerSecond(), AccessLogger.open(), meters);
  }

  /** Without traces where {@link TracingSwitch} has left tracing out. */
  @Bean
  Sights sights(ObjectProvider<SdkTracerProvider> tracing, AccessLog access, Clock clock) {
    SdkTracerProvider provider = tracing.getIfAvailable();
    return new Sights(
        provider == null ? null : new Traces(provider.get("dev.wukong.serving")), access, clock);
  }

  /** Probes, scrapes and open status pages would be most of the spans of REST. */
  @Bean
  SpanExportingPredicate noSpansOfProbes() {
    return span -> {
      String uri = span.getTags().getOrDefault("uri", "");
      return !uri.startsWith("/actuator") && !uri.startsWith("/status") && !uri.equals("/");
    };
  }

  @Bean
  MeterFilter callNames() {
    return CallMeters.names();
  }

  @Bean
  MetricCollectingServerInterceptor callMeters(MeterRegistry meters) {
    return new MetricCollectingServerInterceptor(meters);
  }

  /** Around all that other interceptors do, so that what they refuse is counted as well. */
  @Bean
  ServerBuilderCustomizer<NettyServerBuilder> calls(
      MetricCollectingServerInterceptor meters,
      ObjectProvider<SdkTracerProvider> tracing,
      CallGuard guard,
      ConnectedCaller connected) {
    boolean traced = tracing.getIfAvailable() != null;
    return builder -> {
      builder.addTransportFilter(connected).intercept(guard);
      if (traced) {
        builder.intercept(new TraceOrigin());
      }
      builder.intercept(meters); // The last one added is called first.
    };
  }
}
