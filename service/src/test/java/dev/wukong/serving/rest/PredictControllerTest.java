package dev.wukong.serving.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.serving.batching.Batcher;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.testing.HeldBatches;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@TestInstance(Lifecycle.PER_CLASS)
class PredictControllerTest {
  private static final TinyModel MODEL = new TinyModel(1);

  @SuppressWarnings("NullAway.Init") // Before all tests.
  private Served served;

  @BeforeAll
  void start(@TempDir Path root) throws Exception {
    MODEL.write(root.resolve("bundles"), "tiny", 3);
    served =
        Served.start(
            root.resolve("bundles"),
            "wukong.batching.max-rows=2",
            "wukong.batching.queue-rows=4",
            "wukong.limits.candidates=4",
            "wukong.limits.default-deadline=1m",
            "wukong.limits.max-deadline=1m");
    served.awaitServing("tiny", 3);
  }

  private Optional<ServedModel> model() {
    return served.bean(ModelHost.class).model("tiny");
  }

  @AfterAll
  void stop() {
    served.close();
  }

  private HttpResponse<String> post(String model, String body) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(
          HttpRequest.newBuilder(
                  URI.create(
                      "http://localhost:%d/models/%s/predict".formatted(served.httpPort(), model)))
              .POST(BodyPublishers.ofString(body))
              .build(),
          BodyHandlers.ofString());
    }
  }

  @Test
  void predict_values_areScoredAsOverGrpc() throws Exception {
    HttpResponse<String> response =
        post(
            "tiny",
            """
            {"context": {"user": 101, "age": 0.5},
             "candidates": [
               {"item": 7, "tags": ["red", "größe"], "tag_weights": [1, 2], "price": 0.5,
                "picture": [0.1, 0.2]},
               {"item": null, "picture": [0, 0]}]}
            """);
    assertThat(response.statusCode()).isEqualTo(200);
    JsonNode answer = JsonMapper.shared().readTree(response.body());
    assertThat(answer.get("model").asString()).isEqualTo("tiny");
    assertThat(answer.get("version").asLong()).isEqualTo(3);
    Map<String, Object> context = Map.of("user", 101, "age", 0.5);
    double first =
        MODEL.logit(
            context,
            Map.of(
                "item",
                7,
                "tags",
                List.of("red", "größe"),
                "tag_weights",
                List.of(1, 2),
                "price",
                0.5,
                "picture",
                List.of(0.1f, 0.2f)));
    double second = MODEL.logit(context, Map.of("picture", List.of(0, 0)));
    for (int task = 0; task < 2; task++) {
      assertThat(answer.at("/probabilities/0/" + task).floatValue())
          .isCloseTo(TinyModel.probability(first, task), within(1e-5f));
      assertThat(answer.at("/probabilities/1/" + task).floatValue())
          .isCloseTo(TinyModel.probability(second, task), within(1e-5f));
    }
    assertThat(answer.get("missingValues").asInt()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "tiny | {} | 400 | candidates is missing or empty; one or more objects are needed",
        "tiny | {\"candidates\": []} | 400 | candidates is missing or empty; one or more objects"
            + " are needed",
        "tiny | {\"candidates\": [null]} | 400 | candidates[0] is null; an object is needed",
        "tiny | {\"candidates\": [{\"itme\": 1}]} | 400 | candidates[0]: the model knows no column"
            + " 'itme'; it has item, picture, price, tag_weights, tags",
        "tiny | {\"context\": {\"item\": 1}, \"candidates\": [{}]} | 400 | context: the model knows"
            + " no column 'item'; it has age, user",
        "tiny | {\"candidates\": [{\"item\": {}}]} | 400 | candidates[0]: column 'item' is an"
            + " object; a string, a number, true, false or a list is needed",
        "tiny | null | 400 | the body is null; an object with candidates is needed",
        "tiny | {\"candidates\": [{\"picture\": [0, 0]}], \"version\": 3, \"label\": \"a\"} | 400 |"
            + " version and label are both set; one of them is allowed",
        "tiny | {\"candidates\": [{\"picture\": [0, 0]}], \"criticality\": \"high\"} | 400 |"
            + " criticality is 'high'; critical, normal and sheddable are allowed",
        "tiny | {\"candidates\": [{\"picture\": [0, 0]}], \"version\": 9} | 404 | model.version is"
            + " 9; loaded of 'tiny' are [3]",
        "tiny | {\"candidates\": [{\"picture\": [0, 0]}], \"version\": 1.5} | 400 | version is 1.5;"
            + " a whole number of 1 or more is needed",
        "tiny | {\"candidates\": [{\"picture\": [0, 0]}], \"label\": 7} | 400 | label is 7; a text"
            + " is needed",
        "none | {\"candidates\": [{}]} | 404 | model.name is 'none'; this server has [tiny]",
        "tiny | [] | 400 | the body is a list; an object with candidates is needed",
        "tiny | {\"candidates\": {}} | 400 | candidates is an object; a list of objects is needed",
        "tiny | {\"candidates\": [{}, {}, {}, {}, 7, {}]} | 400 | candidates.rows is 6; 1 to 4 are"
            + " allowed",
        "tiny | {\"candidate\": []} | 400 | there is no field 'candidate'; candidates, context,"
            + " criticality, label, routingKey and version are allowed",
        "tiny | {\"candidates\": [{\"item\": [1, 2], \"picture\": [0, 0]}]} | 400 | candidates[0]:"
            + " column 'item' is a list of 2 values; one is needed",
        "tiny | {\"candidates\": [{\"tags\": [[1]]}]} | 400 | candidates[0]: column 'tags[0]' is a"
            + " list within a list; a string, a number, true or false is needed",
        "tiny | {\"candidates\": [{\"picture\": [0, 0]}, {\"picture\": [0]}]} | 400 |"
            + " candidates[1], column 'picture' (feature 'picture') is '[0]', 1 value; 2 are"
            + " needed",
        "tiny | {\"context\": {\"age\": \"old\"}, \"candidates\": [{\"picture\": [0, 0]}]} | 400 |"
            + " context, column 'age' (feature 'age') is 'old'; a number is needed",
        "tiny | {\"candidates\": [{\"tags\": [\"a\\ud800\"], \"tag_weights\": [1], \"picture\": [0,"
            + " 0]}]} | 400 | candidates[0], column 'tags' (feature 'tags') has half a surrogate"
            + " pair at character 1; text that UTF-8 can hold is needed",
      })
  void predict_badBody_saysWhatIsWrong(String model, String body, int status, String error)
      throws Exception {
    HttpResponse<String> response = post(model, body);
    assertThat(response.statusCode()).isEqualTo(status);
    JsonNode refusal = JsonMapper.shared().readTree(response.body());
    assertThat(refusal.get("error").asString()).isEqualTo(error);
    assertThat(refusal.get("status").asInt()).isEqualTo(status);
  }

  @Test
  void predict_notJson_saysWhere() throws Exception {
    for (String body :
        List.of(
            "{",
            "{\"candidates\": [{",
            "{\"candidates\": [{\"tags\": [1, 2",
            "{\"candidates\": [{}, {}, {}, {}, {}, ",
            "{\"version\": 3, \"version\": 3}",
            "{\"candidates\": [{\"item\": 1, \"item\": 2}]}",
            "{\"candidates\": [{\"picture\": [NaN, 0]}]}",
            "{\"candidates\": [{\"picture\": [0, 0]}]} {}")) {
      HttpResponse<String> response = post("tiny", body);
      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(response.body())
          .contains("\"the body is no JSON, line 1, column ")
          .doesNotContain("`")
          .doesNotContain("java.");
    }
    for (String body :
        List.of(
            "{\"candidates\": [{\"item\": %s}]}".formatted("1".repeat(2000)),
            "{\"candidates\": [{}, {}, {}, {}, %s".formatted("[".repeat(2000)))) {
      assertThat(post("tiny", body).body()).contains("the body is nested too deeply, or a name, ");
    }
    assertThat(post("tiny", "").body())
        .contains("the body is empty; an object with candidates is needed");
  }

  /** In 3 bytes each: as values they would take many times the memory. */
  @Test
  void predict_tooManyValues_areRefused() throws Exception {
    String tags = "\"\",".repeat(QuestionReader.MOST_VALUES) + "\"\"";
    HttpResponse<String> response =
        post("tiny", "{\"candidates\": [{\"tags\": [%s]}]}".formatted(tags));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body())
        .contains("the body has more than 1048576 values; gRPC is for large requests");
  }

  @Test
  void predict_bodyTooLarge_isRefused() throws Exception {
    HttpResponse<String> response = post("tiny", " ".repeat(BodyRoom.MOST + 1));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body())
        .contains("the body has more than 8388608 bytes; gRPC is for large requests");
  }

  /** Four of the largest take all room until they are answered. */
  @Test
  void predict_bodiesOfOthersTakeAllRoom_isTooManyRequests() throws Exception {
    String small = "{\"candidates\": [{\"picture\": [0, 0]}]}";
    String large = small + " ".repeat(BodyRoom.MOST - 1 - small.length());
    try (HeldBatches held = HeldBatches.of(model().orElseThrow().batcher());
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpResponse<String>>> others = new ArrayList<>();
      for (int taken = 0; taken < BodyRoom.ALL; taken += BodyRoom.MOST) {
        others.add(callers.submit(() -> post("tiny", large)));
      }
      Served.await("four wait", () -> waiting() == 4);

      HttpResponse<String> response = post("tiny", small);

      assertThat(response.statusCode()).isEqualTo(429);
      assertThat(response.headers().firstValue("Retry-After")).contains("1");
      assertThat(response.body())
          .contains("bodies of 33554432 bytes are in work already, that is the limit; try later");
      held.release();
      for (Future<HttpResponse<String>> other : others) {
        assertThat(other.get().statusCode()).isEqualTo(200);
      }
    }
    assertThat(post("tiny", small).statusCode()).isEqualTo(200);
  }

  @Test
  void rest_filesOfAForm_areNotRead() throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<String> response =
          http.send(
              HttpRequest.newBuilder(
                      URI.create("http://localhost:%d/models".formatted(served.httpPort())))
                  .header("Content-Type", "multipart/form-data")
                  .method("GET", BodyPublishers.ofString("x"))
                  .build(),
              BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(200);
    }
  }

  @Test
  void predict_notJson_isCountedAsARefusal() throws Exception {
    double before = refused();
    assertThat(post("tiny", "{").statusCode()).isEqualTo(400);
    assertThat(refused()).isEqualTo(before + 1);
  }

  private double refused() {
    return served
        .bean(MeterRegistry.class)
        .counter("wukong.predict.refusals", "reason", "bad_request")
        .count();
  }

  @Test
  void predict_tooMuchWaits_isTooManyRequests() throws Exception {
    Batcher batcher = model().orElseThrow().batcher();
    try (HeldBatches held = HeldBatches.of(batcher)) {
      Thread first = Thread.ofVirtual().start(() -> fill());
      Served.await("four wait", () -> waiting() == 4);
      HttpResponse<String> response = post("tiny", "{\"candidates\": [{\"picture\": [0, 0]}]}");
      assertThat(response.statusCode()).isEqualTo(429);
      assertThat(response.headers().firstValue("Retry-After")).contains("1");
      held.release();
      first.join();
    }
  }

  private double waiting() {
    return served
        .bean(MeterRegistry.class)
        .get("wukong.batching.waiting")
        .tag("model", "tiny")
        .gauge()
        .value();
  }

  private void fill() {
    try {
      String one = "{\"picture\": [0, 0]}";
      assertThat(
              post("tiny", "{\"candidates\": [%s, %s, %s, %s]}".formatted(one, one, one, one))
                  .statusCode())
          .isEqualTo(200);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
