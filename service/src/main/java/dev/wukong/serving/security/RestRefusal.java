package dev.wukong.serving.security;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** How a request of REST is told that it may not be: a small JSON, as other errors are. */
final class RestRefusal {
  private RestRefusal() {}

  /** Writes it; whether there was one. */
  static boolean write(Decision decision, HttpServletResponse response) throws IOException {
    switch (decision) {
      case Decision.Allowed _ -> {
        return false;
      }
      case Decision.Unknown(_, var message) -> {
        response.setHeader("WWW-Authenticate", "Bearer");
        write(HttpServletResponse.SC_UNAUTHORIZED, message, response);
      }
      case Decision.Forbidden(_, var message) ->
          write(HttpServletResponse.SC_FORBIDDEN, message, response);
    }
    return true;
  }

  private static void write(int status, String message, HttpServletResponse response)
      throws IOException {
    response.setStatus(status);
    response.setContentType("application/json");
    byte[] body =
        "{\"status\":%d,\"error\":\"%s\"}"
            .formatted(status, escaped(message))
            .getBytes(StandardCharsets.UTF_8);
    response.getOutputStream().write(body);
  }

  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        escaped.append('\\').append(c);
      } else if (c < ' ') {
        escaped.append("\\u%04x".formatted((int) c));
      } else {
        escaped.append(c);
      }
    }
    return escaped.toString();
  }
}
