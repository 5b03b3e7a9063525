package dev.wukong.serving;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;

/** The ranking service. */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(ServingProperties.class)
public class ServingApplication {
  /**
   * Starts the service; settings come from the command line, the environment and {@code
   * application.yaml}.
   */
  public static void main(String[] arguments) {
    SpringApplication.run(ServingApplication.class, arguments);
  }
}
