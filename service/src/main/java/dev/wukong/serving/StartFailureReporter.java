package dev.wukong.serving;

import dev.wukong.runtime.DeviceException;
import dev.wukong.serving.admin.AdminPortException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringBootExceptionReporter;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.Ordered;
import org.springframework.util.unit.DataSize;

/**
 * Says in one line why the service does not start, where a setting or what it points to is the
 * cause. Spring's own reporters speak of the rest.
 */
final class StartFailureReporter implements SpringBootExceptionReporter, Ordered {
  private static final Logger log = LoggerFactory.getLogger(StartFailureReporter.class);

  private final @Nullable ConfigurableApplicationContext context;

  /**
   * Made by Spring.
   *
   * @param context of the start that failed; null before there was one
   */
  StartFailureReporter(@Nullable ConfigurableApplicationContext context) {
    this.context = context;
  }

  @Override
  public boolean reportException(Throwable failure) {
    Optional<String> line = line(failure);
    line.ifPresent(
        text -> {
          log.error("The service does not start: {}", text);
          log.debug("The service does not start", failure);
        });
    return line.isPresent();
  }

  private Optional<String> line(Throwable failure) {
    // The innermost setting, and before it whatever speaks of one.
    String found = null;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof AdminPortException) {
        return Optional.ofNullable(cause.getMessage()); // Its cause reads like that of gRPC's port.
      }
      String line =
          switch (cause) {
            case SettingException e -> e.getMessage();
            case BindException e -> describe(e);
            case DeviceException e ->
                "wukong.engine.device: %s; wukong.engine.fallback=cpu runs on the CPU instead"
                    .formatted(e.getMessage());
            case PortInUseException e -> taken("server.port", String.valueOf(e.getPort()));
            case NoSuchSslBundleException e ->
                "there is no SSL bundle '%1$s'; set spring.ssl.bundle.pem.%1$s.keystore.certificate and spring.ssl.bundle.pem.%1$s.keystore.private-key"
                    .formatted(e.getBundleName());
            default -> byMessage(cause);
          };
      found = line == null ? found : line;
    }
    return Optional.ofNullable(found);
  }

  /** Of what has no type of its own. */
  private @Nullable String byMessage(Throwable cause) {
    String message = cause.getMessage();
    if (message == null) {
      return null;
    }
    if (message.startsWith("Unable to create key store")
        || message.startsWith("Unable to create trust store")) {
      return "spring.ssl.bundle: " + message;
    }
    return message.startsWith("Failed to bind to address") ? grpcPort() : null;
  }

  private @Nullable String grpcPort() {
    if (context == null) {
      return null;
    }
    String property = "spring.grpc.server.port";
    return taken(property, String.valueOf(context.getEnvironment().getProperty(property)));
  }

  private static String taken(String property, String port) {
    return ("%s is %s, which cannot be taken: another process has it, or this one may not; set"
            + " another, or 0 for any free one")
        .formatted(property, port);
  }

  private static @Nullable String describe(BindException failure) {
    ConfigurationProperty property = failure.getProperty();
    if (property == null) {
      return null;
    }
    Class<?> type = failure.getTarget().getType().resolve(Object.class);
    return "%s is '%s', allowed %s"
        .formatted(property.getName(), property.getValue(), allowed(type));
  }

  private static String allowed(Class<?> type) {
    if (type == Duration.class) {
      return "is a time such as 500ms, 2s or 5m";
    } else if (type == DataSize.class) {
      return "is a size such as 512MB or 2GB";
    } else if (type == boolean.class) {
      return "are true and false";
    } else if (type == int.class || type == Integer.class) {
      return "is a whole number";
    } else if (type.isEnum()) {
      List<String> names =
          Arrays.stream(type.getEnumConstants())
              .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
              .toList();
      return "are %s and %s"
          .formatted(String.join(", ", names.subList(0, names.size() - 1)), names.getLast());
    }
    return "is a " + type.getSimpleName().toLowerCase(Locale.ROOT);
  }

  /** Before Spring's own. */
  @Override
  public int getOrder() {
    return HIGHEST_PRECEDENCE;
  }
}
