package dev.wukong.serving.embedding;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where a Redis or Valkey cluster is, and how it is spoken to.
 *
 * @param addresses of some of its nodes, each {@code host:port}; the others are found through them
 * @param prefix of all keys: stores with different ones share nothing; 1 to 32 of a-z, A-Z, 0-9,
 *     '_', '.' and '-'
 * @param user empty: the default user
 * @param password empty: none
 * @param tls empty: no encryption
 * @param timeout of a read; a write may take ten times as long, and a second at least
 */
public record RedisSettings(
    List<String> addresses,
    String prefix,
    String user,
    String password,
    Optional<RedisTls> tls,
    Duration timeout) {
  private static final Pattern ADDRESS = Pattern.compile("(?<host>[^:/@\\s]+):(?<port>[0-9]{1,5})");
  private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9_.-]{1,32}");
  private static final Duration LONGEST = Duration.ofSeconds(10);
  private static final int LAST_PORT = 65_535;

  public RedisSettings {
    addresses = List.copyOf(addresses);
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("addresses are none, needed is one host:port or more");
    }
    for (String address : addresses) {
      var parts = ADDRESS.matcher(address);
      if (!parts.matches() || !isPort(Integer.parseInt(parts.group("port")))) {
        throw new IllegalArgumentException(
            "addresses has '%s', allowed is host:port with a port of 1 to %d"
                .formatted(address, LAST_PORT));
      }
    }
    if (!PREFIX.matcher(prefix).matches()) {
      throw new IllegalArgumentException(
          "prefix is '%s', allowed are 1 to 32 of a-z, A-Z, 0-9, '_', '.' and '-'"
              .formatted(prefix));
    }
    if (!user.isEmpty() && password.isEmpty()) {
      throw new IllegalArgumentException("user is '%s', which needs a password".formatted(user));
    }
    if (timeout.toMillis() < 1 || timeout.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "timeout is %dms, allowed is 1ms to %dms"
              .formatted(timeout.toMillis(), LONGEST.toMillis()));
    }
  }

  private static boolean isPort(int port) {
    return port >= 1 && port <= LAST_PORT;
  }

  /** One cluster with no password and no encryption, and half of what a slow read may take. */
  public static RedisSettings of(String prefix, List<String> addresses) {
    return new RedisSettings(addresses, prefix, "", "", Optional.empty(), Duration.ofMillis(200));
  }

  static String host(String address) {
    return address.substring(0, address.lastIndexOf(':'));
  }

  static int port(String address) {
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }

  /** Without the password. */
  @Override
  public String toString() {
    return "RedisSettings[addresses=%s, prefix=%s, user=%s, tls=%s, timeout=%s]"
        .formatted(addresses, prefix, user, tls.isPresent(), timeout);
  }
}
