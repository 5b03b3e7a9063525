package dev.wukong.serving.rehearsal;

import dev.wukong.client.RankingClient;
import dev.wukong.config.Section;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.ValueType;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.training.UntrainedBundle;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Starts the service over a small model made up for it, asks it through its doors as users and
 * their platforms do, and ends. What Java notes meanwhile ({@code -XX:AOTCacheOutput}) makes later
 * starts, and their first answers, quick.
 */
public final class Rehearsal {
  private static final String MODEL = "rehearsal";
  private static final int IDS = 1000;
  private static final int CANDIDATES = 100;
  private static final int REQUESTS = 300;
  private static final int PAGES = 20;
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** A service that has started. */
  public interface Running extends AutoCloseable {
    /** The port of gRPC. */
    int grpcPort();

    /** The port of REST. */
    int httpPort();

    @Override
    void close();
  }

  /** Starts the service. */
  @FunctionalInterface
  public interface Start {
    /**
     * Starts it.
     *
     * @param settings as {@code --PROPERTY=VALUE}
     */
    Running with(List<String> settings);
  }

  private Rehearsal() {}

  /**
   * Rehearses, in a folder of its own that it removes.
   *
   * @param given settings of the caller's, where the rehearsal has none of its own
   * @throws IOException if the folder cannot be written, or the service does not answer
   */
  public static void run(Start start, List<String> given) throws IOException, InterruptedException {
    Path folder = folder();
    try {
      Path bundles = folder.resolve("bundles");
      bundle().write(bundles, MODEL, 1);
      List<String> own =
          List.of(
              "--wukong.bundle-root=" + bundles,
              "--wukong.models=" + MODEL,
              "--wukong.rows.store-dir=" + folder.resolve("store"),
              // Some rows come from the store.
              "--wukong.rows.resident=32KB",
              "--wukong.lame-duck=0s",
              "--wukong.engine.precision=fp32",
              "--wukong.limits.candidates=" + CANDIDATES,
              "--wukong.batching.queue-rows=65536",
              "--wukong.admin.port=0",
              "--spring.grpc.server.address=127.0.0.1",
              "--spring.grpc.server.port=0",
              "--server.address=127.0.0.1",
              "--server.port=0");
      List<String> settings = new ArrayList<>(own);
      given.stream()
          .filter(setting -> own.stream().noneMatch(mine -> name(mine).equals(name(setting))))
          .forEach(settings::add);
      try (Running service = start.with(settings)) {
        ask(service);
      }
    } finally {
      remove(folder);
    }
  }

  private static Path folder() throws IOException {
    try {
      return Files.createTempDirectory("rehearsal-");
    } catch (IOException e) {
      throw new IOException(
          "no folder can be made in '%s'; name another with -Djava.io.tmpdir=FOLDER"
              .formatted(System.getProperty("java.io.tmpdir")),
          e);
    }
  }

  private static String name(String setting) {
    int equals = setting.indexOf('=');
    return equals < 0 ? setting : setting.substring(0, equals);
  }

  private static void ask(Running service) throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      long end = System.nanoTime() + LIMIT.toNanos();
      while (get(http, service, "/actuator/health/readiness").statusCode() != 200) {
        if (System.nanoTime() > end) {
          throw new IOException("the service is not ready after " + LIMIT.toMinutes() + " minutes");
        }
        Thread.sleep(20);
      }
      try (RankingClient client =
          RankingClient.connect("127.0.0.1:" + service.grpcPort(), MODEL, LIMIT)) {
        for (int i = 0; i < REQUESTS; i++) {
          client.predict(context(i), candidates(i));
        }
      } catch (StatusRuntimeException e) {
        throw new IOException("the service does not answer Predict: " + e.getStatus(), e);
      }
      for (int i = 0; i < PAGES; i++) {
        for (String path :
            List.of("/actuator/health/liveness", "/actuator/prometheus", "/models")) {
          if (get(http, service, path).statusCode() != 200) {
            throw new IOException(path + " does not answer");
          }
        }
        get(http, service, "/status"); // May be turned off.
      }
    }
  }

  private static HttpResponse<String> get(HttpClient http, Running service, String path)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + service.httpPort() + path);
    return http.send(HttpRequest.newBuilder(uri).timeout(LIMIT).build(), BodyHandlers.ofString());
  }

  private static Map<String, Object> context(int request) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (int i = 0; i < 4; i++) {
      values.put("context" + i, (long) (request * 7 + i));
    }
    return values;
  }

  private static List<Map<String, Object>> candidates(int request) {
    return IntStream.range(0, CANDIDATES)
        .mapToObj(
            candidate -> {
              Map<String, Object> values = new LinkedHashMap<>();
              for (int i = 0; i < 6; i++) {
                values.put("candidate" + i, (long) (request + candidate * 13 + i));
              }
              return values;
            })
        .toList();
  }

  private static UntrainedBundle bundle() {
    List<Feature> features =
        Stream.concat(
                IntStream.range(0, 4).mapToObj(i -> feature("context" + i, Scope.CONTEXT)),
                IntStream.range(0, 6).mapToObj(i -> feature("candidate" + i, Scope.CANDIDATE)))
            .toList();
    Schema schema =
        new Schema(
            MODEL,
            features,
            List.of(new Task("click", "click", Optional.empty(), Optional.empty())));
    RankerConfig config =
        RankerConfig.read(Section.parse(MODEL, "{type: wukong, embedding: {width: 16}}"));
    return new UntrainedBundle(schema, config, IDS);
  }

  private static Feature feature(String name, Scope scope) {
    return new IdFeature(
        name,
        scope,
        name,
        ValueType.INT64,
        new IdMapping.Hash(IDS),
        name,
        1,
        Pooling.SUM,
        Optional.empty());
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
