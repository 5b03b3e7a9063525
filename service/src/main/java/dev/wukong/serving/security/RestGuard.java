package dev.wukong.serving.security;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.servlet.HandlerMapping;

/**
 * Lets requests of REST through whose callers have the role that what answers them asks for, and
 * has those of operators audited. After {@link RestFilter}.
 */
public final class RestGuard implements HandlerInterceptor {
  private static final String CALLER = RestGuard.class.getName();

  private final RoleBook book;
  private final Audit audit;

  /** By the roles of {@code book}; requests of operators are told to {@code audit}. */
  public RestGuard(RoleBook book, Audit audit) {
    this.book = book;
    this.audit = audit;
  }

  @Override
  public boolean preHandle(HttpServletRequest request, HttpServletResponse response, Object handler)
      throws IOException {
    @Nullable Access needed = needed(request);
    Decision decision = RestFilter.decide(book, request, needed);
    if (RestRefusal.write(decision, response)) {
      if (needed == Access.ADMIN) {
        tell(request, response, decision.caller());
      }
      return false;
    }
    request.setAttribute(CALLER, decision.caller());
    return true;
  }

  @Override
  public void afterCompletion(
      HttpServletRequest request,
      HttpServletResponse response,
      Object handler,
      @Nullable Exception failure) {
    if (needed(request) == Access.ADMIN && request.getAttribute(CALLER) instanceof Caller caller) {
      tell(request, response, caller);
    }
  }

  private void tell(HttpServletRequest request, HttpServletResponse response, Caller caller) {
    audit.called(
        request.getMethod() + " " + request.getServletPath(),
        request.getQueryString(),
        caller,
        request.getRemoteAddr() + ":" + request.getRemotePort(),
        Integer.toString(response.getStatus()));
  }

  private static @Nullable Access needed(HttpServletRequest request) {
    return request.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE)
            instanceof String pattern
        ? CallAccess.ofPattern(pattern)
        : null;
  }
}
