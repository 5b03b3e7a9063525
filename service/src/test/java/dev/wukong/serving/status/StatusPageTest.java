package dev.wukong.serving.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.RankingClient;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/** What a person sees, in a real browser. Pictures of it are left under {@code target}. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StatusPageTest {
  private static final Path PICTURES = Path.of("target", "status-page");
  private static final String HOSTILE = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>";

  private @Nullable Browser started;

  /** One for all tests; of a machine without one each says so. */
  @BeforeEach
  void start() {
    if (started == null) {
      started = Browser.start();
    }
    browser().leave();
  }

  @AfterAll
  void end() {
    if (started != null) {
      started.close();
    }
  }

  private Browser browser() {
    return Objects.requireNonNull(started);
  }

  /** Lines of a chart whose path has points: "M10.0 20.0h0L11.0 20.0...". */
  private List<String> drawn(String model, String chart) {
    List<String> paths = new ArrayList<>();
    String css =
        "%s figure[data-chart='%s'] path.line"
            .formatted(model.isEmpty() ? "#service" : "[data-model='" + model + "']", chart);
    Object found =
        browser()
            .run(
                "return [...document.querySelectorAll(\"%s\")].map(p => p.getAttribute('d') || '')"
                    .formatted(css));
    for (Object path : (List<?>) found) {
      if (path.toString().startsWith("M")) {
        paths.add(path.toString());
      }
    }
    return paths;
  }

  @Test
  void page_requestsCome_showsModelsFiguresAndCharts(@TempDir Path folder) throws Exception {
    Path root = folder.resolve("bundles");
    new TinyModel(1).write(root, "tiny", 3);
    try (Served served = Served.serving(root, "tiny", 3);
        RankingClient client =
            RankingClient.connect(
                "localhost:" + served.grpcPort(), "tiny", Duration.ofMinutes(2))) {
      predict(client);
      String origin = "http://localhost:" + served.httpPort();
      browser().open(origin + "/", 1280, "light");
      browser().size(1280, 2400); // What is off the screen is not drawn.
      browser().await("it is ready", () -> browser().text("#state").equals("Ready"));
      assertThat(browser().text("#summary")).startsWith("1 of 1 model serves");
      assertThat(browser().texts("[data-model=tiny] tbody tr"))
          .singleElement()
          .asString()
          .startsWith("3 serving")
          .contains("100 %");
      assertThat(browser().text("[data-model=tiny] .about")).contains("click, buy", "fp32");

      // Each look asks once more, so that the second that is shown had requests.
      browser()
          .await(
              "requests are drawn",
              () -> {
                predict(client);
                return !browser().text("[data-model=tiny] .heads").startsWith("0 ")
                    && drawn("tiny", "Whole request").size() == 2;
              });
      for (String chart :
          List.of(
              "Requests and batches",
              "Candidates",
              "Stages, p50",
              "Candidates in work",
              "Distinct rows found",
              "Rows in memory",
              "Odd values")) {
        browser().await(chart + " is drawn", () -> !drawn("tiny", chart).isEmpty());
      }
      for (String chart : List.of("Requests answered", "Processors busy", "Memory")) {
        browser().await(chart + " is drawn", () -> !drawn("", chart).isEmpty());
      }

      // A version that cannot be used.
      new TinyModel(2).write(root, "tiny", 4, 0.5f);
      browser().await("that is said", () -> browser().text("#state").equals("Degraded"));
      assertThat(browser().text("#reasons")).contains("model 'tiny': version 4 cannot be used");
      assertThat(browser().texts("[data-model=tiny] tbody tr").getFirst()).startsWith("4 failed");

      browser().picture(PICTURES.resolve("live.png"));
      assertThat(browser().console()).isEmpty();
      assertThat(browser().requests()).isNotEmpty().allMatch(url -> url.startsWith(origin + "/"));
    }
  }

  private static void predict(RankingClient client) {
    client.predict(
        Map.of("user", 100),
        List.of(
            Map.of("item", 1, "picture", List.of(0, 0)),
            Map.of("item", 100_000, "picture", List.of(0, 0))));
  }

  @Test
  void page_textsFromOutside_areTextsAndNoMarkup() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(0)) {
      status.models(
          List.of(
              status.model(
                  HOSTILE,
                  List.of(
                      status.version(2, "failed", HOSTILE), status.version(1, "serving", "")))));
      status.readiness("degraded", HOSTILE);
      browser().open(status.address(), 1280, "light");
      browser().await("it is shown", () -> browser().text("#state").equals("Degraded"));
      assertThat(browser().text("#reasons li")).isEqualTo(HOSTILE);
      assertThat(browser().text(".model-name")).isEqualTo(HOSTILE);
      assertThat(browser().text(".message")).isEqualTo(HOSTILE);
      assertThat(
              browser()
                  .run("return document.querySelectorAll('main img, main b, #reasons *').length"))
          .isEqualTo(1L); // The list's one item.
      assertThat(browser().run("return document.title"))
          .isEqualTo("Degraded \u2013 Wukong serving");
      assertThat(browser().console()).isEmpty();
    }
  }

  @Test
  void page_serviceGoesAwayAndComesBack_saysSoAndGoesOn() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(1)) {
      browser().open(status.address(), 1280, "light");
      browser().await("it is ready", () -> browser().text("#state").equals("Ready"));
      String before = browser().text("#clock");
      status.answers(false);
      browser().await("it is gone", () -> browser().text("#state").startsWith("No answer since "));
      assertThat(drawn("model-0", "Requests and batches")).isNotEmpty();
      status.restart();
      status.answers(true);
      browser().await("it is back", () -> browser().text("#state").equals("Ready"));
      assertThat(browser().text("#clock")).isNotEqualTo(before);
      // Of the process before nothing is left: 300 samples then, a few now.
      assertThat(drawn("model-0", "Requests and batches").getFirst().split("L", -1))
          .hasSizeLessThan(30);
    }
  }

  @Test
  void page_pointerAndKeys_readAllChartsAtOneTime() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(1)) {
      browser().open(status.address(), 1280, "light");
      browser().await("it is drawn", () -> !drawn("", "Requests answered").isEmpty());
      browser().type("#service figure svg", Keys.HOME);
      List<String> times = browser().texts("#service .cursor text");
      assertThat(times).hasSize(4).allMatch(time -> time.matches("\\d\\d:\\d\\d:\\d\\d"));
      assertThat(times).containsOnly(times.getFirst());
      assertThat(browser().text("#spoken")).startsWith("Requests answered, a second at ");
      browser().type("#service figure svg", Keys.ESCAPE);
      assertThat(browser().texts("#service .cursor text")).isEmpty();
    }
  }

  @Test
  void page_widthOfPhonesToScreens_isEnough() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(0)) {
      status.readiness(
          "degraded",
          "model 'shop-home-feed': version 14 cannot be used: predict.onnx of "
              + "a-folder-with-a-long-name/".repeat(8));
      status.models(some(status));
      for (String scheme : List.of("light", "dark")) {
        for (int width : new int[] {320, 390, 820, 1440}) {
          browser().open(status.address(), width, scheme);
          browser().await("it is drawn", () -> !drawn("", "Requests answered").isEmpty());
          browser().assertNothingIsCutOff();
          if (width < 600) {
            assertThat(browser().texts(".model[open]")).isEmpty();
            browser().click("[data-model=shop-home-feed] summary");
            browser().await("its versions", () -> browser().texts("tbody tr").size() == 4);
            browser().assertNothingIsCutOff();
          }
          if (width == 390 || width == 1440) {
            browser().picture(PICTURES.resolve("%s-%d.png".formatted(scheme, width)));
          }
        }
      }
    }
  }

  @Test
  void page_labelsScoreCopies_showsTheirShareAndHowTheyCompare() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(0)) {
      status.models(
          List.of(
              status.shadowed(
                  status.model(
                      "feed",
                      List.of(status.version(8, "ready", ""), status.version(7, "serving", ""))),
                  new StatusReport.Shadow(
                      "next", 8, 0.25, 1200, 3, 2, 1, 0.000_012_34, 0.012_31, 0.0125),
                  new StatusReport.Shadow(HOSTILE, 0, 0.5, 0, 0, 0, 0, null, null, null))));
      browser().open(status.address(), 390, "light");
      browser().await("it is ready", () -> browser().text("#state").equals("Ready"));
      browser().await("its versions", () -> browser().texts("tbody tr").size() == 2);
      assertThat(browser().text(".shadows li"))
          .isEqualTo(
              "Shadow \u201cnext\u201d, last 5 min: 1200 copies scored \u00b7 3 dropped"
                  + " \u00b7 2 refused \u00b7 1 failed \u00b7 mean probability 0.0123 answered,"
                  + " 0.0125 by version 8 \u00b7 mean difference 0.0000123");
      assertThat(browser().texts(".shadows li").getLast())
          .isEqualTo(
              "Shadow \u201c" + HOSTILE + "\u201d points to no loaded version: it scores nothing");
      assertThat(browser().texts("tbody tr").getFirst()).contains("copies of 25 %");
      assertThat(browser().texts("tbody tr").getLast()).doesNotContain("copies");
      browser().assertNothingIsCutOff();
      browser().picture(PICTURES.resolve("shadows.png"));
      assertThat(browser().console()).isEmpty();
    }
  }

  @Test
  void page_aModelLearns_showsHowItStandsAndItsCharts() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(0)) {
      StatusReport.Model feed = status.model("feed", List.of(status.version(7, "serving", "")));
      StatusReport.Training learning =
          new StatusReport.Training("learning", "", 7, 3, 1840, 1852, 2_412_000, 420, false, null);
      status.models(List.of(status.learning(feed, learning)));
      browser().open(status.address(), 1280, "light");
      browser().size(1280, 2600); // What is off the screen is not drawn.
      browser().await("it is ready", () -> browser().text("#state").equals("Ready"));
      browser().await("its state", () -> browser().text(".training .state").equals("learning"));
      assertThat(browser().text(".training .facts-line"))
          .isEqualTo(
              "version 7.3.1840.1852 \u00b7 2.41M examples since the bundle \u00b7 420 events"
                  + " behind");
      for (String chart : List.of("Normalized entropy", "Calibration")) {
        browser().await(chart + " is drawn", () -> drawn("feed", chart).size() == 4);
      }
      for (String chart :
          List.of("Learned and committed", "From label to answers", "Events behind")) {
        browser().await(chart + " is drawn", () -> !drawn("feed", chart).isEmpty());
      }
      // Before the first commit there is no gate.
      assertThat(browser().texts(".gate:not([hidden])")).isEmpty();
      browser().picture(PICTURES.resolve("learning.png"));

      StatusReport.Training halted =
          new StatusReport.Training(
              "halted", HOSTILE, 7, 3, 1840, 1852, 2_412_000, 9_000_000, false, null);
      status.models(List.of(status.learning(feed, halted)));
      browser().await("it has halted", () -> browser().text(".training .state").equals("halted"));
      assertThat(browser().text(".training .message")).isEqualTo(HOSTILE);
      browser().open(status.address(), 390, "dark");
      browser().await("it is shown", () -> browser().texts(".training .state").size() == 1);
      browser().assertNothingIsCutOff();
      browser().picture(PICTURES.resolve("learning-phone.png"));

      // Of a service that was restarted without it.
      status.models(List.of(feed));
      browser().await("it is gone", () -> browser().texts(".training:not([hidden])").isEmpty());
      assertThat(browser().console()).isEmpty();
    }
  }

  private static final GateStatus HELD =
      new GateStatus(
          "gated",
          "holding",
          0,
          "open",
          "task 'click': normalized entropy may be worse by 0.00210, allowed is 0.00100",
          0,
          7,
          System.currentTimeMillis() - Duration.ofHours(108).toMillis(),
          List.of(
              new GateStatus.OfTask(
                  "click",
                  48_211,
                  6_702,
                  new GateStatus.OfModel(0.86412, 0.85911, 0.86913, 1.0213, 0.74222),
                  new GateStatus.OfModel(0.86287, 0.85788, 0.86786, 1.0121, 0.74391),
                  new GateStatus.OfModel(0.86342, 0.85842, 0.86842, 1.0194, 0.74312),
                  -0.00055,
                  -0.00091,
                  -0.00019),
              new GateStatus.OfTask(
                  "conversion",
                  5_127,
                  0,
                  new GateStatus.OfModel(null, null, null, null, null),
                  new GateStatus.OfModel(0.91203, 0.88, 0.94406, 1.31, null),
                  null,
                  0.00121,
                  null,
                  null)));

  private static StatusReport.Model held(
      MadeUpStatus status, boolean frozen, @Nullable GateStatus gate) {
    return status.learning(
        status.model("feed", List.of(status.version(7, "serving", ""))),
        new StatusReport.Training("learning", "", 7, 3, 1840, 1852, 2_412_000, 420, frozen, gate));
  }

  /** What the page says of the gate, by name: "Phase" is "holding what comes is learned, ...". */
  private String fact(String name) {
    List<String> names = browser().texts(".gate-facts dt");
    return browser().texts(".gate-facts dd").get(names.indexOf(name));
  }

  @Test
  void page_aGateHasDecided_saysHowItStandsAndWhy() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(0)) {
      status.models(List.of(held(status, false, HELD)));
      browser().open(status.address(), 1440, "light");
      browser().size(1440, 3000); // What is off the screen is not drawn.
      browser().await("the gate", () -> browser().texts(".gate-facts dd").size() == 6);
      assertThat(fact("Mode"))
          .isEqualTo("gated what was learned serves once it has shown to be no worse");
      assertThat(fact("Phase"))
          .isEqualTo("holding what comes is learned, and serves once it is promoted");
      assertThat(fact("Verdict"))
          .isEqualTo(
              "open task 'click': normalized entropy may be worse by 0.00210, allowed is 0.00100");
      assertThat(fact("Labels")).isEqualTo("coming");
      assertThat(fact("Healthy states")).isEqualTo("7 the newest 4 days ago");
      assertThat(fact("Failures")).isEqualTo("none");
      assertThat(browser().texts(".figures tbody tr"))
          .containsExactly(
              "click 48.2k examples, 6702 positive",
              "served 0.8641 0.8591 to 0.8691 1.0213 0.7422",
              "candidate 0.8629 0.8579 to 0.8679 1.0121 0.7439",
              "healthy 0.8634 0.8584 to 0.8684 1.0194 0.7431",
              "candidate less healthy \u22120.00055 \u22120.00091 to \u22120.00019 better",
              "conversion 5127 examples, 0 positive",
              "served \u2013 \u2013 to \u2013 \u2013 \u2013",
              "candidate 0.9120 0.8800 to 0.9441 1.3100 \u2013",
              "healthy \u2013 \u2013 to \u2013 \u2013 \u2013",
              "candidate less healthy +0.00121 \u2013 to \u2013 unknown");
      browser().picture(PICTURES.resolve("gate-light.png"));
      browser().open(status.address(), 1440, "dark");
      browser().await("the gate", () -> browser().texts(".gate-facts dd").size() == 6);
      browser().picture(PICTURES.resolve("gate-dark.png"));

      // Words that the page does not know, and what may not be believed.
      GateStatus other =
          new GateStatus("dozing", "later", 0.05, "strange", HOSTILE, 2, 0, 0, List.of());
      status.models(List.of(held(status, true, other)));
      browser().await("it is shown", () -> fact("Mode").equals("dozing, 5 %"));
      assertThat(fact("Phase")).isEqualTo("later");
      assertThat(fact("Verdict")).isEqualTo("strange " + HOSTILE);
      assertThat(fact("Labels")).isEqualTo("frozen labels are missing, so that no window closes");
      assertThat(fact("Healthy states")).isEqualTo("0");
      assertThat(fact("Failures")).isEqualTo("2\u00d7 in a row");
      assertThat(browser().texts(".figures:not([hidden])")).isEmpty();
      assertThat(browser().console()).isEmpty();
    }
  }

  @Test
  void page_aGateDecides_drawsItOverTime() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(0)) {
      status.models(List.of(held(status, false, HELD)));
      browser().open(status.address(), 1440, "light");
      browser().size(1440, 3000); // What is off the screen is not drawn.
      String worse = "Candidate less healthy";
      browser().await("it is drawn", () -> drawn("feed", worse).size() == 2);
      // Five minutes have five promotions, after each of which the interval begins anew.
      assertThat(paths(worse, "path.area"))
          .hasSize(2)
          .allSatisfy(band -> assertThat(band.split("M", -1)).hasSizeBetween(6, 7));
      assertThat(browser().texts("figure[data-chart='" + worse + "'] .side"))
          .containsExactly("worse", "better");
      // 0 is in the middle, and a line of its own.
      List<String> levels = browser().texts("figure[data-chart='" + worse + "'] .grid text");
      assertThat(levels.get(1)).isEqualTo("0");
      assertThat(levels.get(0)).isEqualTo("\u2212" + levels.get(2).substring(1));
      assertThat(levels.get(2)).startsWith("+0.00");

      String does = "What the gate does";
      assertThat(browser().texts("figure[data-chart='" + does + "'] .grid text"))
          .startsWith("open", "holding", "quarantined", "canary_of_tomorrow", "labels missing");
      assertThat(lane("open")).hasSizeBetween(1, 2);
      assertThat(lane("holding")).hasSizeBetween(1, 2);
      assertThat(lane("quarantined")).hasSizeBetween(1, 2);
      assertThat(lane("labels missing")).hasSizeBetween(1, 2);
      assertThat(lane("canary_of_tomorrow")).isEmpty();

      browser().type("figure[data-chart='" + worse + "'] svg", Keys.HOME);
      assertThat(browser().text("#spoken"))
          .matches(
              worse
                  + ", normalized entropy, with its interval of 95 % at \\d\\d:\\d\\d:\\d\\d: click"
                  + " .*, between .* and .*, conversion .*");
      browser().type("figure[data-chart='" + does + "'] svg", Keys.HOME);
      assertThat(browser().text("#spoken"))
          .matches(
              does
                  + ", with what comes at \\d\\d:\\d\\d:\\d\\d: (open|holding|quarantined)"
                  + "(, labels missing)?");
      browser().type("figure[data-chart='" + does + "'] svg", Keys.ESCAPE);
      for (int width : new int[] {320, 390, 820}) {
        browser().open(status.address(), width, "light");
        browser().await("the gate", () -> browser().texts(".gate-facts dd").size() == 6);
        browser().assertNothingIsCutOff();
        browser().picture(PICTURES.resolve("gate-%d.png".formatted(width)));
      }
      assertThat(browser().console()).isEmpty();
    }
  }

  private List<String> paths(String chart, String css) {
    Object found =
        browser()
            .run(
                "return [...document.querySelectorAll(\"figure[data-chart='%s'] %s\")]"
                        .formatted(chart, css)
                    + ".map(p => p.getAttribute('d') || '')");
    return ((List<?>) found).stream().map(Object::toString).toList();
  }

  /** The bars of a lane. */
  private List<String> lane(String name) {
    String path = paths("What the gate does", "path.lane[data-lane='" + name + "']").getFirst();
    return Arrays.stream(path.split("(?=M)", -1)).filter(bar -> !bar.isEmpty()).toList();
  }

  private static List<StatusReport.Model> some(MadeUpStatus status) {
    StatusReport.Version canary =
        new StatusReport.Version(
            13, "ready", "", System.currentTimeMillis() - 95_000, List.of("canary"), 0.05);
    StatusReport.Version main =
        new StatusReport.Version(
            12,
            "serving",
            "",
            System.currentTimeMillis() - 7_500_000,
            List.of("stable", "previous-week"),
            0.95);
    return List.of(
        status.model(
            "shop-home-feed",
            List.of(
                status.version(
                    14,
                    "failed",
                    "predict.onnx: the golden rows differ by 0.03 in 'click', allowed is 1e-05"),
                canary,
                main,
                status.version(11, "unloaded", ""))),
        status.model("shop-search", List.of(status.version(4, "serving", ""))));
  }

  @Test
  void page_fiftyModels_staysShortAndCanBeFiltered() throws Exception {
    try (MadeUpStatus status = MadeUpStatus.start(50)) {
      browser().open(status.address(), 1280, "light");
      browser().await("all are there", () -> browser().texts(".model").size() == 50);
      // Closed cards draw nothing but their short line.
      assertThat(browser().run("return document.querySelectorAll('.model .line:not([d])').length"))
          .isEqualTo(0L);
      assertThat(browser().texts(".model[open]")).isEmpty();
      browser().type("#filter input", "model-49");
      assertThat(browser().texts(".model:not([hidden])")).hasSize(1);
      browser().click("[data-model=model-49] summary");
      browser().await("it is drawn", () -> !drawn("model-49", "Stages, p99").isEmpty());
      assertThat(drawn("model-49", "Stages, p99")).hasSize(4);
      browser().picture(PICTURES.resolve("fifty.png"));
      assertThat(browser().console()).isEmpty();
    }
  }
}
