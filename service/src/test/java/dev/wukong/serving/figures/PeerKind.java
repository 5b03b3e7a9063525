package dev.wukong.serving.figures;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The servers that a user would pick instead of this one. */
enum PeerKind {
  /** NVIDIA's Triton, its core with models in Python. */
  PYTRITON,
  /** Seldon's MLServer. */
  MLSERVER,
  /** Ray Serve. */
  RAY;

  /** What it is called by options and in reports. */
  String title() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What starts it in the foreground. */
  List<String> command(Path scripts, Path python, Path work) {
    Path own = scripts.resolve(title());
    return switch (this) {
      case PYTRITON, RAY -> List.of(python.toString(), own.resolve("server.py").toString());
      case MLSERVER ->
          List.of("bash", own.resolve("start").toString(), work.resolve(title()).toString());
    };
  }

  /** The settings among which the best are looked for. */
  List<PeerSettings> sweep() {
    return switch (this) {
      case PYTRITON ->
          List.of(
              PeerSettings.alone(1, 1),
              PeerSettings.alone(2, 1),
              PeerSettings.alone(1, 2),
              PeerSettings.joined(4, 0),
              PeerSettings.joined(8, 5000));
      case MLSERVER ->
          List.of(
              PeerSettings.alone(0, 1),
              PeerSettings.alone(1, 1),
              PeerSettings.alone(0, 2),
              new PeerSettings(0, 1, 2, 500),
              new PeerSettings(0, 1, 8, 5000));
      case RAY ->
          List.of(
              PeerSettings.alone(1, 1),
              PeerSettings.alone(2, 1),
              PeerSettings.alone(1, 2),
              PeerSettings.joined(8, 500));
    };
  }

  /** Its environment: everything that its scripts read, nothing that calls home. */
  static Map<String, String> environment(
      PeerSettings settings, Path python, Path graph, int port, Path work) {
    return Map.ofEntries(
        Map.entry("PEER_PYTHON", python.toString()),
        Map.entry("PEER_MODEL", graph.toString()),
        Map.entry("PEER_PORT", Integer.toString(port)),
        Map.entry("PEER_INSTANCES", Integer.toString(settings.instances())),
        Map.entry("PEER_THREADS", Integer.toString(settings.threads())),
        Map.entry("PEER_JOINED", Integer.toString(settings.joined())),
        Map.entry("PEER_DELAY_MICROS", Integer.toString(settings.delayMicros())),
        Map.entry("ORT_DISABLE_TELEMETRY", "1"),
        Map.entry("PYTHONDONTWRITEBYTECODE", "1"),
        Map.entry("RAY_USAGE_STATS_ENABLED", "0"),
        Map.entry("RAY_DISABLE_DASHBOARD", "1"),
        // Its own advice for throughput; the replicas' own ports need a balancer before them.
        Map.entry("RAY_SERVE_THROUGHPUT_OPTIMIZED", "1"),
        Map.entry("RAY_SERVE_ENABLE_DIRECT_INGRESS", "0"),
        Map.entry("RAY_TMPDIR", work.toString()),
        Map.entry("TMPDIR", work.toString()));
  }

  /** The kinds named in {@code text}, joined by {@code +}. */
  static List<PeerKind> parse(String text) {
    List<PeerKind> kinds = new ArrayList<>();
    for (String name : text.split("\\+", -1)) {
      kinds.add(valueOf(name.toUpperCase(Locale.ROOT)));
    }
    return kinds;
  }
}
