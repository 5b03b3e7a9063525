package dev.wukong.serving;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** What REST answers where nothing else does: a small JSON, whatever the caller accepts. */
@RestController
final class RestErrors implements ErrorController {
  /** The answer. */
  record RestError(int status, String error, String path) {}

  @RequestMapping("/error")
  ResponseEntity<RestError> error(HttpServletRequest request) {
    HttpStatus status = HttpStatus.NOT_FOUND; // Who asks for this very path finds nothing.
    if (request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE) instanceof Integer code) {
      HttpStatus known = HttpStatus.resolve(code);
      status = known == null ? HttpStatus.INTERNAL_SERVER_ERROR : known;
    }
    Object failed = request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI);
    return ResponseEntity.status(status)
        .contentType(MediaType.APPLICATION_JSON)
        .body(
            new RestError(
                status.value(),
                status.getReasonPhrase(),
                failed == null ? request.getRequestURI() : failed.toString()));
  }
}
