package dev.wukong.serving.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TestProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.By;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A real browser without a window, whose console and requests are kept. One thread. */
final class Browser implements AutoCloseable {
  private static final int MOST_READS = 20;

  private static final String INSTALL =
      "the status page is tested in a browser, and there is none: install Chromium and its driver"
          + " (Debian: apt-get install chromium chromium-driver)";

  /** Held, as the logging of the JDK forgets loggers that nobody holds. */
  private static final Logger QUIET = Logger.getLogger("org.openqa.selenium");

  private static final JsonMapper JSON = new JsonMapper();

  private final ChromeDriver driver;
  private final List<String> console = new ArrayList<>();
  private final List<String> requests = new ArrayList<>();
  private int width;

  private Browser(ChromeDriver driver) {
    this.driver = driver;
  }

  /**
   * Starts it. Where this machine has none, the tests are skipped and say so, or fail with {@code
   * -Dbrowser=required}, as in the project's own checks.
   */
  static Browser start() {
    Path browser =
        TestProgram.find("browser", INSTALL, "chromium", "google-chrome", "chromium-browser");
    Path driver = TestProgram.find("browser", INSTALL, "chromedriver");
    QUIET.setLevel(Level.SEVERE); // It warns of every version of the browser that is newer.
    ChromeOptions options = new ChromeOptions();
    options.setBinary(browser.toFile());
    options.addArguments(
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--hide-scrollbars",
        // Nothing outside this machine can be reached, whoever asks.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost");
    if ("root".equals(System.getProperty("user.name"))) {
      options.addArguments("--no-sandbox");
    }
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    logs.enable(LogType.PERFORMANCE, Level.ALL);
    options.setCapability("goog:loggingPrefs", logs);
    ChromeDriverService service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(driver.toFile())
            .usingAnyFreePort()
            .withSilent(true)
            .build();
    return new Browser(new ChromeDriver(service, options));
  }

  /** Opens a page of {@code width} CSS pixels, in the colours of {@code scheme}. */
  void open(String address, int width, String scheme) {
    size(width, 900);
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    driver.get(address);
  }

  /** The viewport from now on; below 600 CSS pixels of width it is a phone's. */
  void size(int width, int height) {
    this.width = width;
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
  }

  /** What a person reads in the elements that {@code css} selects, one line each. */
  List<String> texts(String css) {
    for (int left = MOST_READS; ; left--) {
      try {
        return driver.findElements(By.cssSelector(css)).stream()
            .map(WebElement::getText)
            .map(text -> text.replaceAll("\\s+", " "))
            .toList();
      } catch (StaleElementReferenceException e) {
        if (left == 1) { // Each second some are made anew, so another time none is.
          throw e;
        }
      }
    }
  }

  /**
   * What a person reads in the first element that {@code css} selects; empty where there is none.
   */
  String text(String css) {
    List<String> texts = texts(css);
    return texts.isEmpty() ? "" : texts.getFirst();
  }

  /** The result of a script. */
  Object run(String script) {
    return Objects.requireNonNull(driver.executeScript(script), "the script gave nothing");
  }

  /** Presses the mouse on what {@code css} selects. */
  void click(String css) {
    driver.findElement(By.cssSelector(css)).click();
  }

  /** Types into what {@code css} selects. */
  void type(String css, CharSequence keys) {
    driver.findElement(By.cssSelector(css)).sendKeys(keys);
  }

  /** Waits until {@code condition} holds, however often the page changes meanwhile. */
  void await(String what, Served.Condition condition) throws Exception {
    Served.await(
        what,
        () -> {
          try {
            return condition.holds();
          } catch (StaleElementReferenceException e) {
            return false;
          }
        });
  }

  /** Takes a picture of the whole page, for people to look at. */
  void picture(Path file) throws IOException {
    long height = ((Number) run("return document.documentElement.scrollHeight")).longValue();
    size(width, (int) height); // So that charts below the fold are drawn, too.
    // Two frames: one in which they are found to be visible, one in which they are drawn.
    driver.executeAsyncScript(
        "const done = arguments[0];"
            + " requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)));");
    Map<String, Object> taken =
        driver.executeCdpCommand("Page.captureScreenshot", Map.of("format", "png"));
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    Files.write(file, Base64.getDecoder().decode((String) taken.get("data")));
    size(width, 900);
  }

  /** What the console said so far, errors and all else. */
  List<String> console() {
    driver.manage().logs().get(LogType.BROWSER).forEach(entry -> console.add(entry.getMessage()));
    return console;
  }

  /** The addresses of all requests so far. */
  List<String> requests() {
    driver
        .manage()
        .logs()
        .get(LogType.PERFORMANCE)
        .forEach(
            entry -> {
              JsonNode message = JSON.readTree(entry.getMessage()).path("message");
              if (message.path("method").asString().equals("Network.requestWillBeSent")) {
                requests.add(message.at("/params/request/url").asString());
              }
            });
    return requests;
  }

  /** Leaves the page, which then asks no more, and forgets what console and requests said. */
  void leave() {
    driver.get("about:blank");
    console();
    requests();
    console.clear();
    requests.clear();
  }

  /** Fails where the page is wider than the window. */
  void assertNothingIsCutOff() {
    // Not innerWidth, which grows with the page where a phone shows all of it by zooming out.
    assertThat(((Number) run("return document.documentElement.scrollWidth")).intValue())
        .as("the page's width")
        .isLessThanOrEqualTo(width);
  }

  @Override
  public void close() {
    driver.quit();
  }
}
