package dev.wukong.serving.cluster;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.apache.kafka.clients.CommonClientConfigs;

/**
 * Where the brokers are, and what is kept there.
 *
 * @param addresses of some of the brokers, each {@code host:port}; the others are found through
 *     them
 * @param prefix of all topics and groups: clusters with different ones share nothing
 * @param partitions of topics that are made
 * @param replication of topics that are made: on how many brokers each lies
 * @param client further properties of Kafka's clients, such as those of its security
 */
public record KafkaSettings(
    List<String> addresses,
    String prefix,
    int partitions,
    int replication,
    Map<String, Object> client) {
  private static final Pattern ADDRESS = Pattern.compile("(?<host>[^/@\\s]+):(?<port>[0-9]{1,5})");
  private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9_.-]{1,64}");
  private static final int LAST_PORT = 65_535;
  private static final int MOST_PARTITIONS = 1024;
  private static final int MOST_REPLICAS = 16;

  public KafkaSettings {
    addresses = List.copyOf(addresses);
    client = Map.copyOf(client);
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
          "prefix is '%s', allowed are 1 to 64 of a-z, A-Z, 0-9, '_', '.' and '-'"
              .formatted(prefix));
    }
    between("partitions", partitions, MOST_PARTITIONS);
    between("replication", replication, MOST_REPLICAS);
  }

  private static void between(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(
          "%s is %d, allowed are 1 to %d".formatted(name, value, most));
    }
  }

  private static boolean isPort(int port) {
    return port >= 1 && port <= LAST_PORT;
  }

  /** What any client is told, and {@code more}. */
  Map<String, Object> with(Map<String, Object> more) {
    Map<String, Object> all = new HashMap<>(client);
    all.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, addresses);
    all.putAll(more);
    return all;
  }

  /** The same over connections that {@code context} encrypts, as it is when each is made. */
  public KafkaSettings encrypted(Supplier<SSLContext> context) {
    Map<String, Object> all = new HashMap<>(client);
    all.putAll(KafkaTls.properties(context));
    return new KafkaSettings(addresses, prefix, partitions, replication, all);
  }

  /** A group of consumers, or a topic. */
  String named(String name) {
    return prefix + "." + name;
  }

  /** Without what clients are told, which may be secret. */
  @Override
  public String toString() {
    return "KafkaSettings[addresses=%s, prefix=%s]".formatted(addresses, prefix);
  }
}
