package dev.wukong.serving;

import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.serving.security.RoleBook;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.context.ApplicationListener;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.util.unit.DataSize;

/** Checks all settings before anything starts, so that a wrong one is all that is spoken of. */
final class SettingsCheck
    implements ApplicationListener<ApplicationEnvironmentPreparedEvent>, Ordered {
  private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("wukong");

  /** Of the native libraries, which read it from the JVM's flags before Spring is there. */
  private static final ConfigurationPropertyName NATIVE_CACHE =
      ConfigurationPropertyName.of(OnnxRuntime.LIBRARY_CACHE);

  /** What Kubernetes puts into the environment for a service whose name begins with ours. */
  private static final Pattern OF_KUBERNETES =
      Pattern.compile(
          "WUKONG_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?)");

  @Override
  public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
    ConfigurableEnvironment environment = event.getEnvironment();
    for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
      if (source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource variables) {
        for (String name : variables.getPropertyNames()) {
          checkVariable(name);
        }
      } else if (source instanceof IterableConfigurationPropertySource names) {
        names.stream()
            .filter(ROOT::isAncestorOf)
            .filter(name -> !name.equals(NATIVE_CACHE))
            .forEach(SettingsCheck::checkName);
      }
    }
    Binder binder = Binder.get(environment);
    checkPort(binder, "server.port");
    checkPort(binder, "spring.grpc.server.port");
    checkSize(binder, "spring.grpc.server.inbound.message.max-size");
    ServingProperties properties = binder.bindOrCreate("wukong", ServingProperties.class);
    // Now, for the web server asks for it, and would speak of its own failure as well.
    RoleBook _ = properties.roles().book(System::nanoTime);
    checkFolder(binder, "wukong.bundle-root", properties.bundleRoot().path());
    if (properties.rows().store() != ServingProperties.Store.MEMORY) {
      checkFolder(binder, "wukong.rows.store-dir", properties.rows().storeDir().path());
    }
    if (properties.online().enabled()) {
      checkFolder(binder, "wukong.online.events-dir", properties.online().eventsDir().path());
    }
  }

  private static void checkName(ConfigurationPropertyName name) {
    ConfigurationPropertyName whole = name;
    while (whole.isLastElementIndexed()) {
      whole = whole.getParent();
    }
    if (!Settings.has(name.toString()) && !Settings.has(whole.toString())) {
      throw new SettingException(
          "there is no property '%s', the closest is '%s'; --help prints all"
              .formatted(whole, Settings.closest(whole.toString())));
    }
  }

  /** Fails where {@code name}, of the environment, looks like a property and is none. */
  static void checkVariable(String name) {
    if (name.startsWith("WUKONG_")
        && !OF_KUBERNETES.matcher(name).matches()
        && !Settings.has(name)
        && !Settings.has(name.replaceFirst("(_[0-9]+)+_?$", ""))) {
      throw new SettingException(
          "environment: there is no property '%s', the closest is '%s'; --help prints all"
              .formatted(name, Settings.closest(name)));
    }
  }

  private static void checkPort(Binder binder, String property) {
    int port = binder.bind(property, Integer.class).orElse(0);
    SettingException.require(
        port >= 0 && port <= 65_535, property, port, "are 1 to 65535, and 0 for any free one");
  }

  /** Of what gRPC counts in an int. */
  private static void checkSize(Binder binder, String property) {
    long bytes = binder.bind(property, DataSize.class).map(DataSize::toBytes).orElse(1L);
    SettingException.require(
        bytes >= 1 && bytes <= Integer.MAX_VALUE,
        property,
        bytes + " bytes",
        "is 1B to %dB".formatted(Integer.MAX_VALUE));
  }

  private static void checkFolder(Binder binder, String property, Path folder) {
    // An empty text would be taken for the default in silence.
    boolean empty = binder.bind(property, String.class).map(String::isBlank).orElse(false);
    SettingException.require(!empty, property, "empty", "is a folder");
    SettingException.require(
        !Files.exists(folder) || Files.isDirectory(folder),
        property,
        "'%s', which is a file".formatted(folder),
        "is a folder, which may not exist yet");
  }

  /** After all that reads settings from files. */
  @Override
  public int getOrder() {
    return LOWEST_PRECEDENCE;
  }
}
