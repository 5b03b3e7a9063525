package dev.wukong.cli;

import dev.wukong.simulator.Simulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A service of its own that has {@link LiveModels}. */
final class LiveService implements AutoCloseable {
  /** More than users take to click, and then more than the click takes to get there. */
  private static final long SPARE_MS = 500;

  private static final String BUNDLES = "bundles";
  private static final String EVENTS = "events";

  private static final Duration START = Duration.ofMinutes(2);

  private final ServiceProcess process;
  private final Path work;
  private final LiveModels models;

  private LiveService(ServiceProcess process, Path work) throws IOException {
    this.process = process;
    this.work = work;
    this.models = LiveModels.at(process.target(), START, process::check);
  }

  /**
   * Starts it.
   *
   * @param jar the service's
   * @param trained folder of the bundle
   * @param work for bundles, store, events and the service's log
   */
  static LiveService start(Path jar, Path trained, Path work) throws IOException {
    Path bundles = work.resolve(BUNDLES);
    LiveModels.write(trained, bundles);
    ServiceProcess process =
        ServiceProcess.start(
            jar,
            bundles,
            work,
            "--wukong.online.model=" + LiveModels.LEARNS,
            "--wukong.online.events-dir=" + work.resolve(EVENTS).toAbsolutePath(),
            // Users here click soon or never; elsewhere these are minutes.
            "--wukong.online.window=%dms".formatted(LiveTraffic.THINKS.toMillis() + SPARE_MS),
            "--wukong.online.grace=%dms".formatted(SPARE_MS),
            "--wukong.online.batch=256",
            // Small, as the model is trained to its end: larger steps cost more than they follow.
            "--wukong.online.rate=0.15",
            // At first the world is as it was trained on, and what is learned is taken back soon.
            "--wukong.online.gate.failures=20",
            "--wukong.online.given.%s=%s".formatted(Simulator.CONVERSION, Simulator.CLICK));
    try {
      return new LiveService(process, work);
    } catch (IOException | RuntimeException e) {
      end(process, work);
      throw e;
    }
  }

  /** Where it answers. */
  ServiceProcess process() {
    return process;
  }

  /** What it serves. */
  LiveModels models() {
    return models;
  }

  /** Ends it, and removes all but its log. */
  @Override
  public void close() throws IOException {
    models.close();
    end(process, work);
  }

  private static void end(ServiceProcess process, Path work) throws IOException {
    process.close();
    for (String folder : List.of(BUNDLES, ServiceProcess.STORE, EVENTS)) {
      remove(work.resolve(folder));
    }
  }

  private static void remove(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> found = Files.walk(folder)) {
        // What is in a folder goes before it.
        for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
