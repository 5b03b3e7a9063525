package dev.wukong.serving;

import dev.wukong.serving.security.FollowedBundles;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.grpc.server.autoconfigure.GrpcServerProperties;
import org.springframework.boot.ssl.DefaultSslBundleRegistry;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Encryption of all ports: by SSL bundles that follow their files. */
@Configuration(proxyBeanMethods = false)
class TlsConfiguration {
  /**
   * Puts bundles that follow their files in the place of Spring's, whoever asks for one: Spring's
   * server of gRPC takes a bundle's managers once.
   */
  @Bean
  static BeanPostProcessor followedBundles() {
    return new BeanPostProcessor() {
      @Override
      public Object postProcessAfterInitialization(Object bean, String name) {
        return bean instanceof DefaultSslBundleRegistry registry
            ? FollowedBundles.of(registry)
            : bean;
      }
    };
  }

  /** Has Spring's server of gRPC take the bundle of {@code wukong.tls}. */
  @Bean
  static BeanPostProcessor tlsOfCallers(
      ObjectProvider<ServingProperties> properties, ObjectProvider<SslBundles> bundles) {
    return new BeanPostProcessor() {
      @Override
      public Object postProcessAfterInitialization(Object bean, String name) {
        if (bean instanceof GrpcServerProperties server) {
          TlsProperties tls = properties.getObject().tls();
          if (!tls.sslBundle().isEmpty()) {
            SslBundle bundle = bundles.getObject().getBundle(tls.sslBundle());
            server.getSsl().setBundle(tls.sslBundle());
            server.getSsl().setClientAuth(tls.asked(bundle.getStores().getTrustStore() != null));
          }
        }
        return bean;
      }
    };
  }
}
