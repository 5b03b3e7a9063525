package dev.wukong.serving;

import dev.wukong.serving.cluster.Checkpoints;
import dev.wukong.serving.cluster.Cluster;
import dev.wukong.serving.cluster.Cluster.Elections;
import dev.wukong.serving.cluster.FolderObjects;
import dev.wukong.serving.cluster.KafkaSettings;
import dev.wukong.serving.cluster.ObjectStore;
import dev.wukong.serving.cluster.S3Objects;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;

/**
 * The settings under {@code wukong.cluster}: several processes that serve one model, of which one
 * trains.
 *
 * @param name of this replica; empty: that of the machine
 * @param election how a replica comes to train
 * @param lease of Kubernetes, where that is how
 * @param kafka where the brokers are; without an address this process is alone
 * @param checkpoints where copies of the trainer's store are, with which others begin
 * @param mirror whether who trains writes rows to Redis, too, for those that serve them from there
 */
public record ClusterProperties(
    @DefaultValue("") String name,
    @DefaultValue("group") Elections election,
    @DefaultValue Lease lease,
    @DefaultValue Kafka kafka,
    @DefaultValue Shared checkpoints,
    @DefaultValue("false") boolean mirror) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{0,128}");

  /**
   * A Lease of Kubernetes.
   *
   * @param name of it
   * @param namespace of it; empty: that of this pod
   */
  public record Lease(
      @DefaultValue("wukong-trainer") String name, @DefaultValue("") String namespace) {
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?");

    public Lease {
      SettingException.require(
          NAME.matcher(name).matches(),
          "wukong.cluster.lease.name",
          name,
          "are 1 to 253 of a-z, 0-9, '.' and '-', of which the first and the last are none of these"
              + " two");
    }

    Cluster.Lease settings() {
      return new Cluster.Lease(namespace, name);
    }
  }

  /**
   * Where the brokers are.
   *
   * @param addresses of some of them, each {@code host:port}
   * @param prefix of all topics and groups
   * @param partitions of topics that are made
   * @param replication of topics that are made
   * @param properties of Kafka's clients
   * @param sslBundle of Spring Boot: what connections to brokers show and trust; empty: as {@code
   *     properties} say
   */
  public record Kafka(
      @DefaultValue List<String> addresses,
      @DefaultValue("wukong") String prefix,
      @DefaultValue("8") int partitions,
      @DefaultValue("3") int replication,
      @DefaultValue Map<String, String> properties,
      @DefaultValue("") String sslBundle) {
    private static final String PROTOCOL = CommonClientConfigs.SECURITY_PROTOCOL_CONFIG;

    public Kafka {
      SettingException.require(
          sslBundle.isEmpty() || properties.keySet().stream().noneMatch(Kafka::encrypts),
          "wukong.cluster.kafka.properties",
          properties.keySet(),
          "are others than %s and those that begin with 'ssl.': wukong.cluster.kafka.ssl-bundle says"
                  .formatted(PROTOCOL)
              + " both");
    }

    private static boolean encrypts(String name) {
      return name.equals(PROTOCOL)
          || (name.startsWith("ssl.")
              && !name.equals(SslConfigs.SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG));
    }

    KafkaSettings settings(SslBundles bundles) {
      if (sslBundle.isEmpty()) {
        return settings();
      }
      SslBundle _ = bundles.getBundle(sslBundle); // Or each try to connect would say so.
      return settings().encrypted(() -> bundles.getBundle(sslBundle).createSslContext());
    }

    KafkaSettings settings() {
      try {
        return new KafkaSettings(
            addresses, prefix, partitions, replication, new HashMap<>(properties));
      } catch (IllegalArgumentException e) {
        throw new SettingException("wukong.cluster.kafka.%s".formatted(e.getMessage()), e);
      }
    }
  }

  /**
   * Where copies of the trainer's store are.
   *
   * @param location a folder that all replicas share, or {@code s3://bucket/prefix}; empty: there
   *     are none
   * @param endpoint of a store with S3's interface other than Amazon's
   * @param every time between two
   * @param keep how many there are
   */
  public record Shared(
      @DefaultValue("") String location,
      @DefaultValue("") String endpoint,
      @DefaultValue("10m") Duration every,
      @DefaultValue("3") int keep) {
    private static final int MOST = 100;

    public Shared {
      ServingProperties.requireTime("wukong.cluster.checkpoints.every", every);
      SettingException.between("wukong.cluster.checkpoints.keep", keep, 1, MOST);
      if (isBucket(location)) {
        try {
          S3Objects.check(location, endpoint);
        } catch (IllegalArgumentException e) {
          throw new SettingException("wukong.cluster.checkpoints." + e.getMessage(), e);
        }
      } else {
        SettingException.require(
            endpoint.isEmpty(),
            "wukong.cluster.checkpoints.endpoint",
            endpoint,
            "is one where wukong.cluster.checkpoints.location begins with " + S3Objects.SCHEME);
      }
    }

    private static boolean isBucket(String location) {
      return location.contains("://");
    }

    Optional<Checkpoints> of(String model) {
      if (location.isEmpty()) {
        return Optional.empty();
      }
      try {
        return Optional.of(new Checkpoints(objects(), model, keep));
      } catch (IOException e) {
        throw new SettingException("wukong.cluster.checkpoints.location: " + e.getMessage(), e);
      }
    }

    private ObjectStore objects() throws IOException {
      return isBucket(location)
          ? S3Objects.of(location, endpoint)
          : new FolderObjects(Path.of(location));
    }
  }

  public ClusterProperties {
    SettingException.require(
        NAME.matcher(name).matches(),
        "wukong.cluster.name",
        name,
        "are up to 128 of a-z, A-Z, 0-9, '_', '.' and '-'");
    if (!kafka.addresses().isEmpty()) {
      KafkaSettings _ = kafka.settings();
    }
  }

  /** Whether there are others. */
  boolean enabled() {
    return !kafka.addresses().isEmpty();
  }

  /** The name of this replica. */
  String replica() {
    if (!name.isEmpty()) {
      return name;
    }
    String machine = System.getenv("HOSTNAME");
    return machine == null || machine.isEmpty()
        ? "replica-" + ProcessHandle.current().pid()
        : machine;
  }
}
