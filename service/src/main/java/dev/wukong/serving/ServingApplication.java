package dev.wukong.serving;

import dev.wukong.runtime.NativeHeap;
import dev.wukong.serving.rehearsal.Rehearsal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;

/** The ranking service. */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(ServingProperties.class)
public class ServingApplication {
  /** The argument for a {@link Rehearsal}. */
  static final String REHEARSE = "--rehearse";

  /** Options without a value: ours, and those of Spring that say more. */
  private static final Set<String> FLAGS = Set.of(REHEARSE, "--debug", "--trace");

  /**
   * Starts the service; settings come from the command line, the environment and {@code
   * application.yaml}.
   */
  public static void main(String[] arguments) throws InterruptedException {
    // Figures in messages are the same wherever it runs.
    Locale.setDefault(Locale.ROOT);
    for (String argument : arguments) {
      if (argument.equals("--help") || argument.equals("-h")) {
        System.out.print(Settings.help());
        return;
      }
      if (!isOption(argument)) {
        System.err.printf(
            "'%s' is no option, allowed are --PROPERTY=VALUE and --rehearse; --help prints all%n",
            argument);
        System.exit(1);
      }
    }
    NativeHeap.giveBackLargeBlocks();
    List<String> settings = new ArrayList<>(List.of(arguments));
    if (settings.remove(REHEARSE)) {
      rehearse(settings);
    } else {
      start(settings);
    }
  }

  /** A flag with a value would be taken for a property that nobody reads. */
  private static boolean isOption(String argument) {
    return argument.startsWith("--")
        && (FLAGS.contains(argument)
            || (argument.contains("=")
                && !argument.startsWith(REHEARSE + "=")
                && !argument.startsWith("--help=")));
  }

  private static void rehearse(List<String> settings) throws InterruptedException {
    try {
      Rehearsal.run(ServingApplication::start, settings);
    } catch (IOException e) {
      System.err.printf("The rehearsal failed: %s%n", e.getMessage());
      System.exit(1);
    }
  }

  private static Rehearsal.Running start(List<String> settings) {
    return new RunningService(
        SpringApplication.run(ServingApplication.class, settings.toArray(String[]::new)));
  }
}
