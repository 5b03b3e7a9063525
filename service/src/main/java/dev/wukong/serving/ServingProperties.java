package dev.wukong.serving;

import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.BundleTrust;
import dev.wukong.serving.batching.BatchPolicy;
import dev.wukong.serving.cluster.Cluster.Elections;
import dev.wukong.serving.embedding.RowFormat;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.hosting.HostingOptions;
import dev.wukong.serving.hosting.VersionPolicy;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.serving.retraining.PauseMark;
import dev.wukong.text.ShownText;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The settings under {@code wukong}.
 *
 * @param bundleRoot the folder of all models' bundles
 * @param models names to serve; empty: every model that the folder has
 * @param versions which versions of a model are loaded, by model: {@code latest}, {@code
 *     latest:<count>}, {@code all}, {@code manual}, or some such as {@code 3+5}
 * @param poll how often the folder is looked at
 * @param lameDuck how long calls are still taken after health says NOT_SERVING
 */
@ConfigurationProperties("wukong")
public record ServingProperties(
    @DefaultValue("bundles") Folder bundleRoot,
    @DefaultValue List<String> models,
    @DefaultValue Map<String, String> versions,
    @DefaultValue("2s") Duration poll,
    @DefaultValue("2s") Duration lameDuck,
    @DefaultValue EngineProperties engine,
    @DefaultValue Batching batching,
    @DefaultValue Limits limits,
    @DefaultValue Rows rows,
    @DefaultValue OnlineProperties online,
    @DefaultValue ClusterProperties cluster,
    @DefaultValue Admin admin,
    @DefaultValue BundlesProperties bundles,
    @DefaultValue FeedbackProperties feedback,
    @DefaultValue TlsProperties tls,
    @DefaultValue RolesProperties roles,
    @DefaultValue AccessLog accessLog,
    @DefaultValue StatusPage statusPage) {

  /**
   * How requests are merged.
   *
   * @param maxRows candidates a batch
   * @param queueRows candidates that may wait
   * @param maxWait how long requests may wait in a queue that lasts: those that would wait longer
   *     are refused at the door
   */
  public record Batching(
      @DefaultValue("2048") int maxRows,
      @DefaultValue("65536") int queueRows,
      @DefaultValue("150ms") Duration maxWait) {
    public Batching {
      SettingException.atLeast("wukong.batching.max-rows", maxRows, 1);
      requireTime("wukong.batching.max-wait", maxWait);
      SettingException.require(
          queueRows >= maxRows,
          "wukong.batching.queue-rows",
          queueRows,
          "is wukong.batching.max-rows (%d) or more".formatted(maxRows));
    }

    BatchPolicy policy(int runs) {
      return new BatchPolicy(maxRows, queueRows, maxWait, runs);
    }
  }

  /**
   * What one request may ask for, and one connection.
   *
   * @param candidates rows of the candidate block, at most {@code batching.queue-rows}
   * @param contexts rows of the context block
   * @param inFlight requests at once
   * @param defaultDeadline of calls that have none
   * @param maxDeadline longer ones are cut to this
   * @param resets calls that a caller may reset in 30 s before its connection is closed
   * @param connections of gRPC at a time, on each port
   * @param connectionsPerAddress the same of one address
   */
  public record Limits(
      @DefaultValue("8192") int candidates,
      @DefaultValue("8192") int contexts,
      @DefaultValue("1024") int inFlight,
      @DefaultValue("1s") Duration defaultDeadline,
      @DefaultValue("10s") Duration maxDeadline,
      @DefaultValue("20000") int resets,
      @DefaultValue("8192") int connections,
      @DefaultValue("2048") int connectionsPerAddress) {
    public Limits {
      SettingException.atLeast("wukong.limits.candidates", candidates, 1);
      SettingException.atLeast("wukong.limits.contexts", contexts, 1);
      SettingException.atLeast("wukong.limits.in-flight", inFlight, 1);
      SettingException.atLeast("wukong.limits.resets", resets, 1);
      SettingException.atLeast("wukong.limits.connections", connections, 1);
      SettingException.atLeast("wukong.limits.connections-per-address", connectionsPerAddress, 1);
      requireTime("wukong.limits.max-deadline", maxDeadline);
      requireTime("wukong.limits.default-deadline", defaultDeadline);
      SettingException.require(
          defaultDeadline.compareTo(maxDeadline) <= 0,
          "wukong.limits.default-deadline",
          defaultDeadline,
          "is at most wukong.limits.max-deadline (%s)"
              .formatted(SettingException.time(maxDeadline)));
    }

    PredictLimits limits() {
      return new PredictLimits(candidates, contexts, inFlight, defaultDeadline, maxDeadline);
    }
  }

  /** Where all rows are. */
  public enum Store {
    /** In RocksDB, under the store directory. */
    ROCKS,
    /** On the heap, read from the bundle at every start. */
    MEMORY,
    /** In a Redis or Valkey cluster. */
    REDIS
  }

  /**
   * Where rows are kept.
   *
   * @param store behind those in memory
   * @param storeDir of RocksDB; one process at a time
   * @param redis where the cluster is
   * @param storeCache memory for parts of its files
   * @param readers threads that read rows which are not in memory
   * @param format how rows are kept, in memory and by RocksDB
   * @param resident memory for rows, each version of each model
   */
  public record Rows(
      @DefaultValue("rocks") Store store,
      @DefaultValue("store") Folder storeDir,
      @DefaultValue RedisProperties redis,
      @DefaultValue("256MB") DataSize storeCache,
      @DefaultValue("4") int readers,
      @DefaultValue("fp32") RowFormat format,
      @DefaultValue("2GB") DataSize resident) {
    public Rows {
      SettingException.require(
          storeCache.toBytes() >= 1 << 20, "wukong.rows.store-cache", storeCache, "is 1MB or more");
      SettingException.between("wukong.rows.readers", readers, 1, MAX_THREADS);
      SettingException.require(
          resident.toBytes() >= 1, "wukong.rows.resident", resident, "is 1B or more");
      if (store == Store.REDIS) {
        redis.check();
      }
    }
  }

  /**
   * The port of operators.
   *
   * @param address it is bound to; nobody but this machine unless set
   * @param port 0: any free one
   * @param sslBundle of Spring Boot; empty: without encryption
   * @param rest whether training is also steered by REST, on the port of callers
   */
  public record Admin(
      @DefaultValue("127.0.0.1") String address,
      @DefaultValue("9091") int port,
      @DefaultValue("") String sslBundle,
      @DefaultValue("false") boolean rest) {
    public Admin {
      SettingException.require(
          port >= 0 && port <= 65_535,
          "wukong.admin.port",
          port,
          "are 1 to 65535, and 0 for any free one");
    }
  }

  /**
   * Which requests get a line in the log {@code wukong.access}.
   *
   * @param sample share of those that are answered
   * @param refusalsPerSecond of those that are not, at most
   */
  public record AccessLog(
      @DefaultValue("0.01") double sample, @DefaultValue("10") int refusalsPerSecond) {
    public AccessLog {
      SettingException.require(
          sample >= 0 && sample <= 1, "wukong.access-log.sample", sample, "are 0 to 1");
      SettingException.between(
          "wukong.access-log.refusals-per-second", refusalsPerSecond, 0, MAX_REFUSALS);
    }
  }

  private static final int MAX_REFUSALS = 10_000;

  /**
   * The page for people at {@code /} of the REST port.
   *
   * @param enabled whether it is there, and what it shows recorded
   */
  public record StatusPage(@DefaultValue("true") boolean enabled) {}

  static final int MAX_THREADS = 1024;

  public ServingProperties {
    for (String model : models) {
      SettingException.require(
          BundleStore.isModel(model),
          "wukong.models",
          models,
          "are names of 1 to 64 of a-z, 0-9, '_' and '-', with commas between");
    }
    versions.forEach(ServingProperties::requirePolicy);
    requireTime("wukong.poll", poll);
    SettingException.require(
        !lameDuck.isNegative() && lameDuck.compareTo(LONGEST) <= 0,
        "wukong.lame-duck",
        lameDuck,
        "are 0s to " + SettingException.time(LONGEST));
    SettingException.require(
        !online.enabled() || rows.store() == Store.ROCKS || servesMirrored(rows, online, cluster),
        "wukong.rows.store",
        rows.store().name().toLowerCase(Locale.ROOT),
        "is rocks where wukong.online.model is set: it keeps what was learned; or redis where this"
            + " replica only serves, with wukong.cluster.kafka.addresses and"
            + " wukong.cluster.election=never");
    SettingException.require(
        !cluster.enabled() || online.enabled(),
        "wukong.online.model",
        "empty",
        "is the model that the cluster of wukong.cluster.kafka.addresses learns");
    if (cluster.mirror()) {
      SettingException.require(
          cluster.enabled() && rows.store() == Store.ROCKS,
          "wukong.cluster.mirror",
          "true",
          "is false but where replicas train together and keep rows of their own, with"
              + " wukong.cluster.kafka.addresses and wukong.rows.store=rocks");
      rows.redis().check();
    }
    SettingException.require(
        limits.candidates() <= batching.queueRows(),
        "wukong.limits.candidates",
        limits.candidates(),
        "is wukong.batching.queue-rows (%d) or less".formatted(batching.queueRows()));
  }

  /** Whether the rows of the model that learns are read where another replica writes them. */
  boolean servesMirrored() {
    return servesMirrored(rows, online, cluster);
  }

  private static boolean servesMirrored(
      Rows rows, OnlineProperties online, ClusterProperties cluster) {
    return online.enabled()
        && rows.store() == Store.REDIS
        && cluster.enabled()
        && cluster.election() == Elections.NEVER;
  }

  private static final Duration LONGEST = Duration.ofDays(1);

  private static void requirePolicy(String model, String policy) {
    if (!BundleStore.isModel(model)) {
      throw new SettingException(
          ("wukong.versions.%s names no model, allowed are names of 1 to 64 of a-z, 0-9, '_' and"
                  + " '-'; one with '_' or '-' cannot be named in the environment: use the command"
                  + " line or a file")
              .formatted(ShownText.of(model)));
    }
    try {
      VersionPolicy.parse(policy);
    } catch (IllegalArgumentException e) {
      throw new SettingException("wukong.versions.%s is %s".formatted(model, e.getMessage()), e);
    }
  }

  static void requireTime(String property, Duration time) {
    SettingException.require(
        time.isPositive() && time.compareTo(LONGEST) <= 0,
        property,
        time,
        "is more than 0s, up to " + SettingException.time(LONGEST));
  }

  /** Where it is remembered that training is paused. */
  PauseMark pauseMark() {
    return new PauseMark(plans(), online.model());
  }

  private Optional<Path> plans() {
    return rows.store() == Store.MEMORY
        ? Optional.empty()
        : Optional.of(rows.storeDir().path().resolve("plans"));
  }

  HostingOptions hosting(EngineOptions used, BundleTrust trust) {
    Map<String, VersionPolicy> policies = new HashMap<>();
    versions.forEach((model, policy) -> policies.put(model, VersionPolicy.parse(policy)));
    return new HostingOptions(
        bundleRoot.path(),
        models,
        poll,
        used,
        rows.format(),
        rows.resident().toBytes(),
        policies,
        plans(),
        batching.maxRows(),
        trust.trusted());
  }
}
