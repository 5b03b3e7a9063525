package dev.wukong.serving.security;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets requests of REST through whose callers have a role, probes without one. Which role a path
 * needs is for {@link RestGuard}, since only then it is known what answers.
 */
public final class RestFilter implements Filter {
  private static final String CERTIFICATES = "jakarta.servlet.request.X509Certificate";

  private final RoleBook book;

  /** By the roles of {@code book}. */
  public RestFilter(RoleBook book) {
    this.book = book;
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain next)
      throws IOException, ServletException {
    HttpServletRequest http = (HttpServletRequest) request;
    Decision decision = decide(book, http, CallAccess.ofPath(http.getServletPath()));
    if (RestRefusal.write(decision, (HttpServletResponse) response)) {
      return;
    }
    next.doFilter(request, response);
  }

  /** Whether {@code request} may have what asks for {@code needed}; null: what is for nobody. */
  static Decision decide(RoleBook book, HttpServletRequest request, @Nullable Access needed) {
    List<String> names =
        request.getAttribute(CERTIFICATES) instanceof X509Certificate[] chain && chain.length > 0
            ? CertificateNames.of(chain[0])
            : List.of();
    return Decision.of(book, book.byNames(names), request.getHeader("Authorization"), needed);
  }
}
