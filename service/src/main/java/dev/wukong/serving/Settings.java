package dev.wukong.serving;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** The properties of the service by name, as {@code --help} prints them. */
final class Settings {
  /**
   * A property.
   *
   * @param name in full
   * @param fallback what holds where it is not set; empty: nothing
   * @param meaning one line
   */
  record Setting(String name, String fallback, String meaning) {}

  /** All below {@code wukong}, and those of the frameworks that the README lists. */
  static final List<Setting> ALL =
      List.of(
          new Setting("wukong.bundle-root", "bundles", "folder of all models"),
          new Setting("wukong.models", "", "names to serve; all that the folder has unless set"),
          new Setting(
              "wukong.versions.<model>",
              "latest",
              "versions to load: latest, latest:<count>, all, manual, or such as 3+5"),
          new Setting("wukong.poll", "2s", "how often the folder is looked at"),
          new Setting(
              "wukong.lame-duck",
              "2s",
              "how long calls are still taken after health says that the service stops"),
          new Setting(
              "wukong.engine.device", "cpu", "cpu, or GPUs such as cuda:0 or cuda:0,cuda:1"),
          new Setting(
              "wukong.engine.fallback",
              "none",
              "where a GPU cannot be used: none (the service does not start) or cpu"),
          new Setting(
              "wukong.engine.threads", "0", "threads of one run; 0: one a processor, up to 4"),
          new Setting(
              "wukong.engine.runs",
              "0",
              "runs of a model at the same time; 0: as many as there are processors for"),
          new Setting("wukong.engine.spin", "false", "whether idle threads of a run busy-wait"),
          new Setting(
              "wukong.engine.precision", "fp32", "fp32 or fp16: which of a bundle's graphs"),
          new Setting(
              "wukong.engine.cuda.memory",
              "0B",
              "of a GPU that one session may take; 0B: all that is free"),
          new Setting(
              "wukong.engine.cuda.arena",
              "same-as-requested",
              "how sessions take memory: same-as-requested or next-power-of-two"),
          new Setting(
              "wukong.engine.cuda.tf32",
              "false",
              "whether products in single precision may round their inputs to 11 binary digits"),
          new Setting(
              "wukong.engine.cuda.streams",
              "2",
              "runs of a model at the same time on one GPU, each with a copy of the weights"),
          new Setting(
              "wukong.engine.cuda.graphs",
              "true",
              "whether common shapes of batches are recorded and launched as one"),
          new Setting("wukong.batching.max-rows", "2048", "candidates a batch"),
          new Setting(
              "wukong.batching.queue-rows",
              "65536",
              "candidates that may wait; beyond that requests are refused"),
          new Setting(
              "wukong.batching.max-wait",
              "150ms",
              "how long requests may wait in a queue that lasts; others are refused at the door"),
          new Setting("wukong.limits.candidates", "8192", "candidates a request"),
          new Setting("wukong.limits.contexts", "8192", "contexts a request"),
          new Setting("wukong.limits.in-flight", "1024", "requests at once"),
          new Setting("wukong.limits.default-deadline", "1s", "of calls that have none"),
          new Setting("wukong.limits.max-deadline", "10s", "longer ones are cut to this"),
          new Setting(
              "wukong.limits.resets", "20000", "by a caller in 30 s before its connection closes"),
          new Setting("wukong.limits.connections", "8192", "of gRPC at a time, on each port"),
          new Setting("wukong.limits.connections-per-address", "2048", "the same of one address"),
          new Setting(
              "wukong.rows.store",
              "rocks",
              "where all rows are: rocks, redis, or memory to read them from the bundle at each"
                  + " start"),
          new Setting("wukong.rows.store-dir", "store", "folder of RocksDB; one process at a time"),
          new Setting(
              "wukong.rows.format",
              "fp32",
              "how rows are kept in memory and by RocksDB: fp32, fp16 (2 bytes a number) or int8"
                  + " (1, and 4 a row)"),
          new Setting(
              "wukong.rows.redis.addresses", "", "of some of the cluster's nodes: host:port"),
          new Setting("wukong.rows.redis.prefix", "wukong", "of all keys"),
          new Setting("wukong.rows.redis.user", "", "unset: the default one"),
          new Setting("wukong.rows.redis.password", "", "unset: none"),
          new Setting("wukong.rows.redis.tls", "false", "whether connections are encrypted"),
          new Setting(
              "wukong.rows.redis.ssl-bundle",
              "",
              "of Spring Boot, for encryption; unset: whom Java trusts"),
          new Setting(
              "wukong.rows.redis.timeout",
              "200ms",
              "of a read; what a node has not given by then is served by default rows"),
          new Setting(
              "wukong.rows.store-cache",
              "256MB",
              "memory for indexes, filters and rows of RocksDB"),
          new Setting("wukong.rows.readers", "4", "threads that read rows which are not in memory"),
          new Setting("wukong.rows.resident", "2GB", "memory for rows, each version of each model"),
          new Setting(
              "wukong.online.model",
              "",
              "name of the model that learns from feedback; unset: none"),
          new Setting(
              "wukong.online.events-dir", "events", "folder of the log; one process at a time"),
          new Setting("wukong.online.events-quota", "8GB", "of the log on disk"),
          new Setting(
              "wukong.online.events-keep",
              "1d",
              "how long events stay in the log, if there is room"),
          new Setting(
              "wukong.online.sample", "1", "share of predictions whose features are logged"),
          new Setting("wukong.online.batch", "256", "examples of a step"),
          new Setting("wukong.online.threads", "1", "of a step"),
          new Setting(
              "wukong.online.device",
              "",
              "where steps are made: cpu or cuda:<number>; unset: the first of"
                  + " wukong.engine.device"),
          new Setting(
              "wukong.online.rate",
              "0",
              "multiplies the bundle's learning rates; 0: what suits the batch"),
          new Setting("wukong.online.linger", "5s", "how long examples wait until a step is full"),
          new Setting(
              "wukong.online.share",
              "0.5",
              "of one processor's time for training, at most, while requests are answered"),
          new Setting(
              "wukong.online.commit-every", "1s", "between commits, each of which serves at once"),
          new Setting("wukong.online.window", "10m", "how long labels are waited for"),
          new Setting("wukong.online.windows.<task>", "", "the same for one task"),
          new Setting(
              "wukong.online.given.<task>",
              "",
              "another task without whose positive label there is no example of it"),
          new Setting(
              "wukong.online.weighting.<task>",
              "plain",
              "what is made of labels and of those that are late or missing: plain, fake-negative,"
                  + " constant-wait or explicit"),
          new Setting(
              "wukong.online.grace", "1m", "how much later than in time a label may arrive"),
          new Setting("wukong.online.exposure", "30m", "how long a prediction may be exposed"),
          new Setting("wukong.online.horizon", "1d", "how long labels are taken"),
          new Setting("wukong.online.negatives", "1", "share of negative examples that is kept"),
          new Setting(
              "wukong.online.stall-breaker",
              "true",
              "no negatives are learned while labels are missing"),
          new Setting("wukong.online.sights", "3", "of an id before it gets a row"),
          new Setting(
              "wukong.online.sights-period", "1d", "an id not seen in two of these begins anew"),
          new Setting(
              "wukong.online.sights-counted", "1000000", "ids without a row that are counted"),
          new Setting(
              "wukong.online.row-age", "0s", "how long a row stays unlearned; 0s: for ever"),
          new Setting("wukong.online.rows-most", "100000000", "rows that may be"),
          new Setting(
              "wukong.online.signing-key",
              "",
              "file of the key with which exports are signed, the public one beside it; unset:"
                  + " none"),
          new Setting(
              "wukong.online.gate.mode",
              "direct",
              "when it serves: direct, gated (once shown to be no worse), canary, shadow (never)"),
          new Setting("wukong.online.gate.every", "1m", "between promotions at least"),
          new Setting("wukong.online.gate.patience", "30m", "waits so long for a verdict"),
          new Setting(
              "wukong.online.gate.worse", "0.0005", "normalized entropy a promotion may cost"),
          new Setting("wukong.online.gate.harm", "0.002", "normalized entropy that is taken back"),
          new Setting("wukong.online.gate.row-norm", "100", "length of a row at most"),
          new Setting("wukong.online.gate.jump", "2", "logits a golden row may move in a commit"),
          new Setting("wukong.online.gate.failures", "3", "in a row before training halts"),
          new Setting("wukong.online.gate.slice-by", "", "feature by which figures are apart"),
          new Setting(
              "wukong.online.gate.canary", "0.01,0.1", "shares that a canary has before all"),
          new Setting(
              "wukong.cluster.kafka.addresses",
              "",
              "of some of the brokers by which replicas share what they learn: host:port"),
          new Setting(
              "wukong.cluster.kafka.prefix", "wukong", "of all topics and groups in the brokers"),
          new Setting("wukong.cluster.kafka.partitions", "8", "of each topic that is made"),
          new Setting(
              "wukong.cluster.kafka.replication",
              "3",
              "on how many brokers each topic lies that is made"),
          new Setting(
              "wukong.cluster.kafka.properties.<name>",
              "",
              "of Kafka's clients, such as security.protocol"),
          new Setting(
              "wukong.cluster.kafka.ssl-bundle",
              "",
              "of Spring Boot: what connections to brokers show and trust, renewed with it"),
          new Setting("wukong.cluster.name", "", "of this replica; unset: that of the machine"),
          new Setting(
              "wukong.cluster.election",
              "group",
              "how a replica comes to train: group (by the brokers), lease (by Kubernetes), or"
                  + " never"),
          new Setting(
              "wukong.cluster.checkpoints.location",
              "",
              "folder that replicas share, or s3://BUCKET/PREFIX, for copies of the store with"
                  + " which new ones begin"),
          new Setting(
              "wukong.cluster.checkpoints.endpoint",
              "",
              "of a store with S3's interface, such as https://minio:9000; unset: Amazon's"),
          new Setting("wukong.cluster.checkpoints.every", "10m", "time between two of them"),
          new Setting("wukong.cluster.checkpoints.keep", "3", "how many of them stay"),
          new Setting(
              "wukong.cluster.mirror",
              "false",
              "whether the replica that trains also writes rows to wukong.rows.redis, for replicas"
                  + " with wukong.rows.store=redis"),
          new Setting("wukong.cluster.lease.name", "wukong-trainer", "of the Lease"),
          new Setting("wukong.cluster.lease.namespace", "", "of the Lease; unset: that of the pod"),
          new Setting("wukong.admin.port", "9091", "gRPC of operators; 0: any free one"),
          new Setting("wukong.admin.address", "127.0.0.1", "that it is bound to"),
          new Setting(
              "wukong.admin.ssl-bundle", "", "of Spring Boot; without it there is no encryption"),
          new Setting(
              "wukong.admin.rest",
              "false",
              "whether training is steered by REST, too: by whoever is an admin; without roles by"
                  + " everybody"),
          new Setting(
              "wukong.bundles.trusted-keys",
              "",
              "files of public keys by which bundles must be signed; unset: need not be"),
          new Setting(
              "wukong.feedback.key-file",
              "",
              "of keys that authenticate prediction ids, 64 hex digits a line; unset: none"),
          new Setting(
              "wukong.feedback.rate",
              "10000",
              "events a second that a caller may report, the others wait; 0: any number"),
          new Setting(
              "wukong.tls.ssl-bundle", "", "of Spring Boot, for gRPC; unset: no encryption"),
          new Setting(
              "wukong.tls.client-auth",
              "auto",
              "whether callers of gRPC show a certificate: need, want, none; auto: need with a"
                  + " truststore"),
          new Setting(
              "wukong.roles.predict.names",
              "",
              "who may ask for scores, by names in certificates such as dns:*.example.com,"
                  + " uri:spiffe://shop/* and cn:ranker"),
          new Setting(
              "wukong.roles.predict.tokens-file",
              "",
              "who may ask for scores, by token: name:token a line, or name:sha256=<hex>"),
          new Setting(
              "wukong.roles.label.names",
              "",
              "who may report what became of them, by names in certificates such as"
                  + " dns:*.example.com, uri:spiffe://shop/* and cn:ranker"),
          new Setting(
              "wukong.roles.label.tokens-file",
              "",
              "who may report what became of them, by token: name:token a line, or"
                  + " name:sha256=<hex>"),
          new Setting(
              "wukong.roles.admin.names",
              "",
              "who may change what serves, by names in certificates such as dns:*.example.com,"
                  + " uri:spiffe://shop/* and cn:ranker"),
          new Setting(
              "wukong.roles.admin.tokens-file",
              "",
              "who may change what serves, by token: name:token a line, or name:sha256=<hex>"),
          new Setting(
              "wukong.access-log.sample", "0.01", "share of answers that get a line of the log"),
          new Setting(
              "wukong.access-log.refusals-per-second",
              "10",
              "refusals that get a line of the log, at most"),
          new Setting(
              "wukong.status-page.enabled", "true", "whether REST shows a status page at /"),
          new Setting("spring.grpc.server.port", "9090", "gRPC; 0: any free one"),
          new Setting("spring.grpc.server.inbound.message.max-size", "8MB", "largest request"),
          new Setting("server.port", "8080", "REST, health, metrics; 0: any free one"),
          new Setting(
              TracingSwitch.ENDPOINT,
              "",
              "where traces go as OTLP over HTTP, such as http://host:4318/v1/traces; unset: none"),
          new Setting(
              TracingSwitch.PROBABILITY,
              "0.1",
              "share of the calls traced whose callers do not say"));

  /**
   * Settings that end in the name of a model or task: after a dot, in brackets, or in the
   * environment after '_'.
   */
  private static final Pattern BY_NAME =
      Pattern.compile(
          "wukong([._])(versions|online\\1(windows|given|weighting)|cluster\\1kafka\\1properties)(\\1|\\[).+",
          Pattern.CASE_INSENSITIVE);

  private Settings() {}

  /** What {@code --help} prints. */
  static String help() {
    StringBuilder help = new StringBuilder();
    help.append("Serves ranking models. Usage: java -jar service.jar [--PROPERTY=VALUE ...]\n\n");
    for (Setting setting : ALL) {
      help.append(
          "  --%-48s %s%n".formatted(setting.name() + "=" + setting.fallback(), setting.meaning()));
    }
    return help.append(
            """

            --rehearse starts it over a made-up model, asks it a little and ends: with Java's flag
            -XX:AOTCacheOutput=FILE that makes a cache, with which (-XX:AOTCache=FILE) it starts in
            half the time. The jar has to be extracted for that: see README.

            The values shown are the defaults. A property may also stand in the environment
            (WUKONG_BUNDLE_ROOT=...) or in an application.yaml in the working directory.
            """)
        .toString();
  }

  /** Whether {@code name}, in full and without the indices of lists, is a property. */
  static boolean has(String name) {
    return BY_NAME.matcher(name).matches()
        || ALL.stream()
            .map(Setting::name)
            .filter(known -> !BY_NAME.matcher(known).matches())
            .anyMatch(known -> plain(known).equals(plain(name)));
  }

  /** The name that takes the fewest changes to make of {@code name}. */
  static String closest(String name) {
    return ALL.stream()
        .map(Setting::name)
        .min(Comparator.comparingInt(known -> distance(plain(known), plain(name))))
        .orElseThrow();
  }

  /** The letters and digits: all in which names from files and from the environment agree. */
  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
  }

  /** Characters to insert, remove or replace to make one of the other. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length()];
  }
}
