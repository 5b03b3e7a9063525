package dev.wukong.serving;

import java.util.Locale;
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
    // Figures in messages are the same wherever it runs.
    Locale.setDefault(Locale.ROOT);
    for (String argument : arguments) {
      if (argument.equals("--help") || argument.equals("-h")) {
        System.out.print(Settings.help());
        return;
      }
      if (!argument.startsWith("--")) {
        System.err.printf(
            "'%s' is no option, allowed is --PROPERTY=VALUE; --help prints all%n", argument);
        System.exit(1);
      }
    }
    SpringApplication.run(ServingApplication.class, arguments);
  }
}
