package dev.wukong.serving;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.core.StandardHost;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.http.HttpStatus;

/**
 * What REST answers where a request is so malformed that it never gets as far as {@link
 * RestErrors}: a small JSON as well. Made by Tomcat, by name.
 */
public final class ConnectorErrors extends ErrorReportValve {
  private static final Logger log = LoggerFactory.getLogger(ConnectorErrors.class);

  /** Has Tomcat answer so. */
  static final class Customizer
      implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {
    @Override
    public void customize(TomcatServletWebServerFactory factory) {
      factory.addContextCustomizers(
          context -> {
            if (context.getParent() instanceof StandardHost host) {
              host.setErrorReportValveClass(ConnectorErrors.class.getName());
            }
          });
    }
  }

  @Override
  protected void report(Request request, Response response, @Nullable Throwable thrown) {
    int code = response.getStatus();
    if (code < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
      return;
    }
    HttpStatus status = HttpStatus.resolve(code);
    response.setContentType("application/json");
    response.setCharacterEncoding(StandardCharsets.UTF_8);
    try {
      PrintWriter writer = response.getReporter();
      if (writer != null) {
        writer.write(
            "{\"status\":%d,\"error\":\"%s\"}"
                .formatted(code, status == null ? "" : status.getReasonPhrase()));
        response.finishResponse();
      }
    } catch (IOException e) {
      log.debug("the caller did not take the answer {}", code, e);
    }
  }
}
