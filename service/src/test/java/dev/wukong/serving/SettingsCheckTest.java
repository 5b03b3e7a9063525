package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.bootstrap.DefaultBootstrapContext;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

class SettingsCheckTest {
  /** The last ones are what Kubernetes sets for services called wukong and wukong-serving. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "PATH",
        "WUKONG_BUNDLE_ROOT",
        "WUKONG_BUNDLEROOT",
        "WUKONG_BATCHING_MAX_ROWS",
        "WUKONG_MODELS_0",
        "WUKONG_VERSIONS_SHOP",
        "WUKONG_VERSIONS_3",
        "WUKONG_SERVICE_HOST",
        "WUKONG_PORT",
        "WUKONG_PORT_9090_TCP",
        "WUKONG_SERVING_SERVICE_PORT_GRPC",
        "WUKONG_SERVING_PORT_8080_TCP_ADDR"
      })
  void checkVariable_settingOrNotOurs_passes(String name) {
    assertThatCode(() -> SettingsCheck.checkVariable(name)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"WUKONG_VERSIONSSHOP", "WUKONG_VERSIONS", "WUKONG_VERSIONS_"})
  void checkVariable_versionsOfNoModel_isNoProperty(String name) {
    assertThatThrownBy(() -> SettingsCheck.checkVariable(name))
        .hasMessage(
            "environment: there is no property '%s', the closest is 'wukong.versions.<model>';"
                    .formatted(name)
                + " --help prints all");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "wukong.versions.shop",
        "wukong.versions.shop-v2",
        "wukong.versions.shop_v2",
        "wukong.versions[shop_v2]",
        "wukong.versions.3"
      })
  void versions_ofAModel_areItsOwn(String name) {
    String model = name.substring("wukong.versions.".length()).replace("]", "");
    assertThat(versions(new MapPropertySource("file", Map.of(name, "manual"))))
        .containsExactly(Map.entry(model, "manual"));
  }

  /** An underscore parts names there: nobody's versions would be chosen, in silence. */
  @Test
  void versions_ofANameThatTheEnvironmentCannotHold_areRefused() {
    assertThat(versions(environment("WUKONG_VERSIONS_SHOP")))
        .containsExactly(Map.entry("shop", "manual"));
    assertThatThrownBy(() -> versions(environment("WUKONG_VERSIONS_SHOP_V2")))
        .hasRootCauseMessage(
            "wukong.versions.shop.v2 names no model, allowed are names of 1 to 64 of a-z, 0-9, '_'"
                + " and '-'; one with '_' or '-' cannot be named in the environment: use the"
                + " command line or a file");
  }

  private static PropertySource<?> environment(String variable) {
    return new SystemEnvironmentPropertySource(
        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, Map.of(variable, "manual"));
  }

  /** Checks what {@code source} sets, as a start does, and gives the versions in it. */
  private static Map<String, String> versions(PropertySource<?> source) {
    StandardEnvironment environment = new StandardEnvironment();
    environment
        .getPropertySources()
        .forEach(s -> environment.getPropertySources().remove(s.getName()));
    environment.getPropertySources().addFirst(source);
    ConfigurationPropertySources.attach(environment);
    new SettingsCheck()
        .onApplicationEvent(
            new ApplicationEnvironmentPreparedEvent(
                new DefaultBootstrapContext(),
                new SpringApplication(),
                new String[0],
                environment));
    return Binder.get(environment).bindOrCreate("wukong", ServingProperties.class).versions();
  }

  @Test
  void checkVariable_typo_namesTheClosest() {
    assertThatThrownBy(() -> SettingsCheck.checkVariable("WUKONG_BUNDEL_ROOT"))
        .hasMessage(
            "environment: there is no property 'WUKONG_BUNDEL_ROOT', the closest is"
                + " 'wukong.bundle-root'; --help prints all");
  }
}
