package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.deployment.Compose;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** What compose files put into the environment of the service. */
class ComposeSettingsTest {
  @ParameterizedTest
  @CsvSource({
    "compose.yaml, serving",
    "cluster.yaml, serving-1",
    "cluster.yaml, serving-2",
    "cluster.yaml, serving-3"
  })
  void environment_ofCompose_isTakenByTheService(String file, String service) throws IOException {
    Map<String, String> variables = Compose.read(file).environment(service);
    assertThat(variables).isNotEmpty();
    variables.keySet().forEach(SettingsCheck::checkVariable);
    // Values are checked as they are bound.
    ServingProperties bound = Binding.of(variables);
    assertThat(bound.cluster().enabled()).isEqualTo(file.equals("cluster.yaml"));
  }

  /** Of variables to settings, as at a start. */
  private static final class Binding {
    private static ServingProperties of(Map<String, String> variables) {
      StandardEnvironment environment = new StandardEnvironment();
      environment
          .getPropertySources()
          .forEach(s -> environment.getPropertySources().remove(s.getName()));
      environment
          .getPropertySources()
          .addFirst(
              new SystemEnvironmentPropertySource("systemEnvironment", new TreeMap<>(variables)));
      ConfigurationPropertySources.attach(environment);
      return Binder.get(environment).bind("wukong", ServingProperties.class).get();
    }
  }
}
