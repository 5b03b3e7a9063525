package dev.wukong.serving.sight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.client.RankingClient;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@ExtendWith(OutputCaptureExtension.class)
class SeenByDefaultTest {
  @Test
  void service_noEndpoint_tracesNothingAndLogsBareLines(@TempDir Path root, CapturedOutput output)
      throws Exception {
    new TinyModel(1).write(root.resolve("bundles"), "tiny", 1);
    try (Served served = Served.start(root.resolve("bundles"), "wukong.access-log.sample=1")) {
      for (Class<?> part :
          List.of(SdkTracerProvider.class, SpanProcessor.class, SpanExporter.class)) {
        assertThatThrownBy(() -> served.bean(part))
            .isInstanceOf(NoSuchBeanDefinitionException.class);
      }
      served.awaitServing("tiny", 1);
      try (RankingClient client = RankingClient.over(served.channel(), "", Duration.ofMinutes(2))) {
        client.predict(Map.of("user", 100), List.of(Map.of("item", 1, "picture", List.of(0, 0))));
      }
      served.stop(); // The log writes what it has.
    }
    assertThat(output.getOut().lines())
        .filteredOn(line -> line.contains("\"door\":\"grpc\""))
        .singleElement()
        .asString()
        .startsWith("{\"time\":\"")
        .endsWith("}");
    assertThat(output.getOut().lines())
        .filteredOn(line -> line.contains("ServedModel") && line.contains("version 1 serves"))
        .singleElement()
        .asString()
        .matches(
            "\\S+Z  INFO \\d+ --- \\[wukong-serving] \\[ +bundles] \\S+ServedModel +: model 'tiny':"
                + " version 1 serves");
  }
}
