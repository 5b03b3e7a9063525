package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
        "WUKONG_SERVICE_HOST",
        "WUKONG_PORT",
        "WUKONG_PORT_9090_TCP",
        "WUKONG_SERVING_SERVICE_PORT_GRPC",
        "WUKONG_SERVING_PORT_8080_TCP_ADDR"
      })
  void checkVariable_settingOrNotOurs_passes(String name) {
    assertThatCode(() -> SettingsCheck.checkVariable(name)).doesNotThrowAnyException();
  }

  @Test
  void checkVariable_typo_namesTheClosest() {
    assertThatThrownBy(() -> SettingsCheck.checkVariable("WUKONG_BUNDEL_ROOT"))
        .hasMessage(
            "environment: there is no property 'WUKONG_BUNDEL_ROOT', the closest is"
                + " 'wukong.bundle-root'; --help prints all");
  }
}
