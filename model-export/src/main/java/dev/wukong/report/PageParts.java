package dev.wukong.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Properties;

/** What a page brings along: its style sheet, its own scripts and the library of the charts. */
final class PageParts {
  private static final String WEBJAR = "META-INF/maven/org.webjars/echarts/pom.properties";

  private PageParts() {}

  static String style() {
    return read("report/report.css");
  }

  /** Makes tables sortable. */
  static String tableScript() {
    return read("report/tables.js");
  }

  /** Draws the charts, with the library. */
  static String chartScript() {
    return read("report/axes.js") + read("report/charts.js");
  }

  /** Apache ECharts, minified. */
  static String library() {
    return read("META-INF/resources/webjars/echarts/" + libraryVersion() + "/echarts.min.js");
  }

  static String libraryVersion() {
    Properties webjar = new Properties();
    try {
      webjar.load(new StringReader(read(WEBJAR)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return webjar.getProperty("version", "");
  }

  /** What the library's licences want to be told. */
  static String libraryNotice() {
    return read("report/echarts-notice.txt");
  }

  /** Names a script or style sheet in a content security policy: no other one runs or counts. */
  static String source(String content) {
    try {
      byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return "'sha256-" + Base64.getEncoder().encodeToString(hash) + "'";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // Every Java has it.
    }
  }

  private static String read(String resource) {
    try (InputStream in = PageParts.class.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("the class path has no '" + resource + "'");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
