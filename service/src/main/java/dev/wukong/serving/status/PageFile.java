package dev.wukong.serving.status;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;

/**
 * A file of the page.
 *
 * @param bytes nobody changes them
 * @param tag that changes with the bytes, so that browsers keep what they have
 */
record PageFile(MediaType type, byte[] bytes, String tag) {
  private static final String FOLDER = "/status-page/";
  private static final List<String> SCRIPTS =
      List.of(
          "page.js",
          "view.js",
          "model.js",
          "gate.js",
          "charts.js",
          "chart.js",
          "strip.js",
          "text.js");

  /**
   * Nothing but the service's own files and answers: what is shown comes from bundles and callers,
   * and no text of theirs can become a script or fetch anything.
   */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
          + " require-trusted-types-for 'script'";

  /** All files by the paths that they have at the service. */
  static Map<String, PageFile> all() {
    Map<String, PageFile> files = new TreeMap<>();
    files.put("/", read("index.html", "text/html;charset=utf-8"));
    files.put("/status/page.css", read("page.css", "text/css;charset=utf-8"));
    files.put("/status/icon.svg", read("icon.svg", "image/svg+xml"));
    for (String script : SCRIPTS) {
      files.put("/status/" + script, read(script, "text/javascript;charset=utf-8"));
    }
    return files;
  }

  private static PageFile read(String name, String type) {
    try (InputStream in = PageFile.class.getResourceAsStream(FOLDER + name)) {
      if (in == null) {
        throw new IllegalStateException("the jar lacks " + FOLDER + name);
      }
      byte[] bytes = in.readAllBytes();
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return new PageFile(
          MediaType.parseMediaType(type),
          bytes,
          "\"%s\"".formatted(HexFormat.of().formatHex(digest, 0, 16)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has it", e);
    }
  }

  /** The answer that holds it. Browsers ask each time whether it is still the same. */
  ResponseEntity<byte[]> answer() {
    return ResponseEntity.ok()
        .headers(PageFile::secure)
        .contentType(type)
        .cacheControl(CacheControl.noCache())
        .eTag(tag)
        .body(bytes);
  }

  /** Adds what every answer of the page carries. */
  static void secure(HttpHeaders headers) {
    headers.set("Content-Security-Policy", POLICY);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("Cross-Origin-Resource-Policy", "same-origin");
    headers.set("X-Frame-Options", "DENY"); // For browsers that do not know frame-ancestors.
  }
}
