package dev.wukong.serving.status;

import java.util.Map;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** The status page at {@code /}, its files below {@code /status/}, and what it shows as JSON. */
@RestController
@ConditionalOnStatusPage
final class StatusController {
  private final Map<String, PageFile> files = PageFile.all();
  private final StatusReports reports;

  StatusController(StatusReports reports) {
    this.reports = reports;
  }

  /** The page. */
  @GetMapping("/")
  ResponseEntity<byte[]> page() {
    return file("/");
  }

  /** A file of it. */
  @GetMapping("/status/{name}")
  ResponseEntity<byte[]> part(@PathVariable String name) {
    return file("/status/" + name);
  }

  private ResponseEntity<byte[]> file(String path) {
    PageFile file = files.get(path);
    if (file == null) {
      throw new ResponseStatusException(HttpStatus.NOT_FOUND);
    }
    return file.answer();
  }

  /**
   * The state now and the samples of the last minutes.
   *
   * @param after the number of the last sample that the caller has; all that there are without it
   */
  @GetMapping("/status")
  ResponseEntity<StatusReport> status(@RequestParam(defaultValue = "-1") long after) {
    return ResponseEntity.ok()
        .headers(PageFile::secure)
        .cacheControl(CacheControl.noStore())
        .body(reports.after(after));
  }
}
