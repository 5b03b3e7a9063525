package dev.wukong.serving.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.RunningService;
import dev.wukong.serving.ServingApplication;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ApplicationContext;

/** What is rehearsed is what users do, and nothing is left of it. */
class RehearsalTest {
  private final List<Long> answered = new ArrayList<>();
  private final List<Path> folders = new ArrayList<>();

  private Rehearsal.Running start(List<String> settings) {
    RunningService service =
        new RunningService(
            new SpringApplicationBuilder(ServingApplication.class)
                .registerShutdownHook(false)
                .run(settings.toArray(String[]::new)));
    ApplicationContext context = service.context();
    folders.add(Path.of(context.getEnvironment().getRequiredProperty("wukong.bundle-root")));
    return new Rehearsal.Running() {
      @Override
      public int grpcPort() {
        return service.grpcPort();
      }

      @Override
      public int httpPort() {
        return service.httpPort();
      }

      @Override
      public void close() {
        answered.add(
            context
                .getBean(MeterRegistry.class)
                .get("wukong.predict.duration")
                .tag("model", "rehearsal")
                .timer()
                .count());
        service.close();
      }
    };
  }

  @Test
  void run_service_answersAndLeavesNothing() throws Exception {
    // Whatever the caller's settings say, it keeps to itself.
    Rehearsal.run(this::start, List.of("--server.port=1", "--wukong.bundle-root=/nowhere"));
    assertThat(answered).containsExactly(300L);
    assertThat(folders).singleElement().satisfies(f -> assertThat(Files.exists(f)).isFalse());
  }

  @Test
  void run_startFails_leavesNothing() {
    assertThatThrownBy(
            () ->
                Rehearsal.run(
                    settings -> {
                      folders.add(Path.of(settings.getFirst().replaceFirst("[^=]*=", "")));
                      throw new IllegalStateException("no");
                    },
                    List.of()))
        .hasMessage("no");
    assertThat(folders).singleElement().satisfies(f -> assertThat(Files.exists(f)).isFalse());
  }
}
