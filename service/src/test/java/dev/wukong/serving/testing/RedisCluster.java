package dev.wukong.serving.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A real Redis cluster of three masters with a replica each: six processes on the loopback
 * interface, which keep nothing on the disk. One thread.
 */
public final class RedisCluster implements AutoCloseable {
  private static final String INSTALL =
      "the store in Redis is tested with a real cluster, and there is no redis-server: install it"
          + " (Debian: apt-get install redis-server)";

  private static final int MASTERS = 3;
  private static final int NODES = 2 * MASTERS;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** The cluster's bus listens this far above a node's port. */
  private static final int BUS = 10_000;

  /** What a node is now, as the nodes that answer see it. */
  public record Node(String id, int port, boolean master, String masterId, boolean failed) {
    static Node parse(String line) {
      String[] fields = line.split(" ", -1);
      String address = fields[1];
      int colon = address.indexOf(':');
      return new Node(
          fields[0],
          Integer.parseInt(address.substring(colon + 1, address.indexOf('@'))),
          fields[2].contains("master"),
          fields[3],
          fields[2].contains("fail") || !fields[7].equals("connected"));
    }
  }

  private final Path server;
  private final Path client;
  private final Path folder;
  private final int nodeTimeoutMillis;
  private final RedisAccess access;
  private final List<Integer> ports = new ArrayList<>();

  /** Where clients are told to find nodes; none: at their ports. */
  private final List<Integer> doors;

  private final List<Process> processes = new ArrayList<>();

  /** Those that stand still. */
  private final Set<Integer> stopped = new HashSet<>();

  private RedisCluster(
      Path server,
      Path client,
      Path folder,
      int nodeTimeoutMillis,
      RedisAccess access,
      List<Integer> doors) {
    this.doors = List.copyOf(doors);
    this.server = server;
    this.client = client;
    this.folder = folder;
    this.nodeTimeoutMillis = nodeTimeoutMillis;
    this.access = access;
  }

  /**
   * Starts it. Where this machine has no Redis, the tests are skipped and say so, or fail with
   * {@code -Dredis=required}, as in the project's own checks.
   *
   * @param folder for what the processes write
   * @param nodeTimeout after which a master that does not answer is replaced by its replica
   */
  public static RedisCluster start(Path folder, Duration nodeTimeout) {
    return start(folder, nodeTimeout, RedisAccess.open());
  }

  /** The same, to which not everybody may speak. */
  public static RedisCluster start(Path folder, Duration nodeTimeout, RedisAccess access) {
    return start(folder, nodeTimeout, access, List.of(), _ -> {});
  }

  /**
   * The same where clients, and nodes that copy each other, come in by ports that lead to the
   * nodes' own: one for each of the six. What nodes say of each other goes by another way.
   *
   * @param lead told the nodes' own ports before they begin
   */
  public static RedisCluster start(
      Path folder,
      Duration nodeTimeout,
      RedisAccess access,
      List<Integer> doors,
      Consumer<List<Integer>> lead) {
    Path server = TestProgram.find("redis", INSTALL, "redis-server");
    Path client = TestProgram.find("redis", INSTALL, "redis-cli");
    RedisCluster cluster =
        new RedisCluster(
            server, client, folder, Math.toIntExact(nodeTimeout.toMillis()), access, doors);
    boolean started = false;
    try {
      cluster.choosePorts();
      lead.accept(List.copyOf(cluster.ports));
      cluster.start();
      started = true;
      return cluster;
    } finally {
      if (!started) {
        cluster.close();
      }
    }
  }

  private void start() {
    if (!doors.isEmpty() && doors.size() != NODES) {
      throw new IllegalArgumentException("%d doors for %d nodes".formatted(doors.size(), NODES));
    }
    for (int n = 0; n < NODES; n++) {
      processes.add(launch(n));
    }
    for (int n = 0; n < NODES; n++) {
      int port = ports.get(n);
      await("node %d answers".formatted(n), () -> ask(port, "PING").contains("PONG"));
    }
    List<String> create = new ArrayList<>(List.of("--cluster", "create"));
    ports.forEach(port -> create.add("127.0.0.1:" + port));
    create.addAll(List.of("--cluster-replicas", "1", "--cluster-yes"));
    create.addAll(access.options());
    create.addFirst(client.toString());
    String said = execute(create);
    if (!said.contains("All 16384 slots covered")) {
      throw new IllegalStateException("the cluster was not made: " + said);
    }
    awaitWhole();
  }

  /** Six ports that nobody listens on, nor on those of their buses. */
  private void choosePorts() {
    Set<Integer> chosen = new HashSet<>();
    List<ServerSocket> held = new ArrayList<>();
    try {
      while (chosen.size() < NODES) {
        ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        held.add(any);
        int port = any.getLocalPort();
        // Ports that the system gives away are high; a bus must fit above.
        int below = port > 65_535 - BUS ? port - 2 * BUS : port;
        if (free(below, held, port) && free(below + BUS, held, port)) {
          chosen.add(below);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      held.forEach(RedisCluster::closeQuietly);
    }
    ports.addAll(chosen);
  }

  private static boolean free(int port, List<ServerSocket> held, int own) {
    if (port == own) {
      return true;
    }
    try {
      held.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private static void closeQuietly(ServerSocket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Process launch(int n) {
    try {
      Path own = Files.createDirectories(folder.resolve("node-" + n));
      List<String> lines =
          new ArrayList<>(
              List.of(
                  "bind 127.0.0.1",
                  "dir " + own,
                  "cluster-enabled yes",
                  "cluster-node-timeout " + nodeTimeoutMillis,
                  "cluster-replica-validity-factor 0",
                  "cluster-require-full-coverage no",
                  "repl-diskless-sync-delay 0",
                  "save \"\"",
                  "appendonly no"));
      if (!doors.isEmpty()) {
        lines.add("cluster-announce-ip 127.0.0.1");
        lines.add("cluster-announce-port " + doors.get(n));
        lines.add("cluster-announce-bus-port " + (ports.get(n) + BUS));
      }
      for (String line : access.lines()) {
        lines.add(line.replace("PORT", ports.get(n).toString()));
      }
      Path configuration = Files.write(own.resolve("redis.conf"), lines);
      return new ProcessBuilder(server.toString(), configuration.toString())
          .redirectErrorStream(true)
          .redirectOutput(own.resolve("log").toFile())
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Addresses of all nodes, as clients are told. */
  public List<String> addresses() {
    return known().stream().map(port -> "127.0.0.1:" + port).toList();
  }

  /** The process of a node. */
  public Process process(int n) {
    return processes.get(n);
  }

  /** By which ports nodes know each other. */
  private List<Integer> known() {
    return doors.isEmpty() ? ports : doors;
  }

  /** Nodes, as the first that answers and is not on its own sees them. */
  public List<Node> nodes() {
    for (int n = 0; n < NODES; n++) {
      if (processes.get(n).isAlive() && !stopped.contains(n)) {
        String said = ask(ports.get(n), "CLUSTER", "NODES");
        if (said.contains("connected")) {
          return said.lines().filter(line -> line.contains("@")).map(Node::parse).toList();
        }
      }
    }
    throw new IllegalStateException("no node of the cluster answers");
  }

  /** Indices of the nodes that are masters now and answer. */
  public List<Integer> masters() {
    return nodes().stream()
        .filter(node -> node.master() && !node.failed())
        .map(node -> known().indexOf(node.port()))
        .sorted()
        .toList();
  }

  /** Waits until three masters have a replica each that has caught up, and all agree. */
  public void awaitWhole() {
    await("the cluster is whole", this::whole);
  }

  private boolean whole() {
    for (int n = 0; n < NODES; n++) {
      String info = ask(ports.get(n), "CLUSTER", "INFO");
      List<Node> seen =
          ask(ports.get(n), "CLUSTER", "NODES")
              .lines()
              .filter(line -> line.contains("@"))
              .map(Node::parse)
              .toList();
      boolean agrees =
          info.contains("cluster_state:ok")
              && seen.size() == NODES
              && seen.stream().noneMatch(Node::failed)
              && seen.stream().filter(Node::master).count() == MASTERS
              && seen.stream().filter(node -> !node.master()).map(Node::masterId).distinct().count()
                  == MASTERS;
      if (!agrees || !caughtUp(ask(ports.get(n), "INFO", "replication"))) {
        return false;
      }
    }
    return true;
  }

  private static boolean caughtUp(String replication) {
    return replication.contains("role:master")
        ? replication.contains("state=online")
        : replication.contains("master_link_status:up");
  }

  /** Has the replica of a master stand still, and gives it nothing more; which one that is. */
  public int cutOffReplica(int master) {
    String id = node(master).id();
    int replica =
        known()
            .indexOf(
                nodes().stream()
                    .filter(node -> node.masterId().equals(id))
                    .findFirst()
                    .orElseThrow()
                    .port());
    stop(replica);
    String _ = ask(ports.get(master), "CLIENT", "KILL", "TYPE", "replica");
    return replica;
  }

  private Node node(int n) {
    return nodes().stream().filter(node -> node.port() == known().get(n)).findFirst().orElseThrow();
  }

  /** Ends a node at once. */
  public void kill(int n) {
    end(processes.get(n));
  }

  /** Has a node stand still; its connections stay. */
  public void stop(int n) {
    signal("STOP", n);
    stopped.add(n);
  }

  /** Has a node that stands still go on. */
  public void resume(int n) {
    signal("CONT", n);
    stopped.remove(n);
  }

  private void signal(String name, int n) {
    execute(List.of("kill", "-" + name, Long.toString(processes.get(n).pid())));
  }

  /**
   * Starts a node again that was killed, with nothing in it: as long as it counts as a master, so
   * has its replica then. Does nothing where a test that failed has not killed it.
   */
  public void restart(int n) {
    if (!processes.get(n).isAlive()) {
      processes.set(n, launch(n));
    }
  }

  /** Has a node forget all that it has, and so its replicas. */
  public void empty(int n) {
    String said = ask(ports.get(n), "FLUSHALL");
    if (!said.equals("OK")) {
      throw new IllegalStateException("node %d says '%s'".formatted(n, said));
    }
  }

  /** Keys of all masters. */
  public long keys() {
    return masters().stream()
        .mapToLong(n -> Long.parseLong(ask(ports.get(n), "DBSIZE").strip()))
        .sum();
  }

  private String ask(int port, String... words) {
    return access.ask(port, words);
  }

  private static String execute(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      process.waitFor();
      return said;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Asks until {@code holds}, for a minute at most. */
  public static void await(String what, BooleanSupplier holds) {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > until) {
        throw new IllegalStateException(
            "%s: not within %d s".formatted(what, PATIENCE.toSeconds()));
      }
      try {
        TimeUnit.MILLISECONDS.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }
  }

  @Override
  public void close() {
    processes.forEach(RedisCluster::end);
  }

  private static void end(Process process) {
    process.destroyForcibly(); // SIGKILL, which ends those that stand still, too.
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
