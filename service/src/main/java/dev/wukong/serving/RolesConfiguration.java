package dev.wukong.serving;

import dev.wukong.serving.security.Audit;
import dev.wukong.serving.security.CallGuard;
import dev.wukong.serving.security.ConnectedCaller;
import dev.wukong.serving.security.LabelRates;
import dev.wukong.serving.security.RestFilter;
import dev.wukong.serving.security.RestGuard;
import dev.wukong.serving.security.RoleBook;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/** Who may what, at every door. */
@Configuration(proxyBeanMethods = false)
class RolesConfiguration {
  private static final Logger log = LoggerFactory.getLogger(RolesConfiguration.class);

  @Bean
  RoleBook roleBook(ServingProperties properties, Environment environment) {
    RolesProperties roles = properties.roles();
    boolean grpc =
        !properties.tls().sslBundle().isEmpty()
            || environment.getProperty("spring.grpc.server.ssl.bundle") != null;
    boolean rest = environment.getProperty("server.ssl.bundle") != null;
    boolean admin = !properties.admin().sslBundle().isEmpty();
    if (roles.byNames() && !grpc && !rest && !admin) {
      log.warn(
          "wukong.roles names certificates, and no port is encrypted: set wukong.tls.ssl-bundle,"
              + " wukong.admin.ssl-bundle and server.ssl.bundle, or nobody has these roles");
    }
    if (roles.byTokens() && !(grpc && rest)) {
      log.warn(
          "wukong.roles has tokens, and {} is not encrypted: whoever sees its traffic has them",
          grpc ? "the port of REST" : "the port of gRPC");
    }
    return roles.book(System::nanoTime);
  }

  @Bean
  Audit audit() {
    return new Audit();
  }

  @Bean
  LabelRates labelRates(ServingProperties properties, MeterRegistry meters) {
    LabelRates rates = new LabelRates(properties.feedback().rate());
    FunctionCounter.builder("wukong.feedback.slowed", rates, LabelRates::slowed)
        .description("Times that a caller's feedback waited, as it reports faster than it may")
        .register(meters);
    return rates;
  }

  @Bean
  CallGuard callGuard(RoleBook book, Audit audit, LabelRates rates) {
    return new CallGuard(book, audit, rates);
  }

  @Bean
  ConnectedCaller connectedCaller(RoleBook book) {
    return new ConnectedCaller(book);
  }

  @Bean
  FilterRegistrationBean<RestFilter> restFilter(RoleBook book) {
    FilterRegistrationBean<RestFilter> filter = new FilterRegistrationBean<>(new RestFilter(book));
    filter.setOrder(Ordered.HIGHEST_PRECEDENCE + 100);
    return filter;
  }

  @Bean
  WebMvcConfigurer restGuard(RoleBook book, Audit audit) {
    RestGuard guard = new RestGuard(book, audit);
    return new WebMvcConfigurer() {
      @Override
      public void addInterceptors(InterceptorRegistry registry) {
        registry.addInterceptor(guard);
      }
    };
  }
}
