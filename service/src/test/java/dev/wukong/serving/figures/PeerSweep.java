package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.serving.figures.LoadedServer.Capacity;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;

/**
 * Finds each peer's best settings for one model. What was measured is kept in the benchmark's parts
 * and not measured again for the same graphs and the same peers. One thread.
 */
final class PeerSweep {
  private static final int[] IN_FLIGHT = {2, 8};

  private final BenchmarkContext context;
  private final PeerModel model;
  private final PeerSides sides;
  private final double seconds;
  private final double leastBusy;
  private final Path file;
  private final Properties kept = new Properties();

  /** What one peer came to with one of its settings. */
  record Tried(PeerKind kind, PeerSettings settings, Capacity capacity) {
    String text() {
      return "%s (%s; %d in flight)".formatted(kind.title(), settings.text(), capacity.inFlight());
    }
  }

  /**
   * A sweep.
   *
   * @param rows of the model's tables
   * @param leastBusy the share of its core below which a result says too little to be kept
   */
  PeerSweep(BenchmarkContext context, PeerModel model, PeerSides sides, long rows, double leastBusy)
      throws IOException, BenchmarkException {
    this.context = context;
    this.model = model;
    this.sides = sides;
    this.seconds = context.option("sweep", 2);
    this.leastBusy = leastBusy;
    this.file =
        context
            .makeParts()
            .resolve(
                "sweep-%s-%d-%.0fs-%s.properties"
                    .formatted(model.model().title(), rows, seconds, sides.fingerprint()));
    if (Files.exists(file)) {
      try (Reader reader = Files.newBufferedReader(file)) {
        kept.load(reader);
      }
    }
  }

  /**
   * All that {@code kinds} came to, the largest capacity first.
   *
   * @throws BenchmarkException if a peer works with none of its settings
   */
  List<Tried> run(List<PeerKind> kinds) throws Exception {
    List<Tried> all = new ArrayList<>();
    for (PeerKind kind : kinds) {
      int before = all.size();
      for (PeerSettings settings : kind.sweep()) {
        Capacity capacity = kept(kind, settings);
        if (capacity.rowsPerSecond() > 0) {
          all.add(new Tried(kind, settings, capacity));
        }
      }
      if (all.size() == before) {
        throw new BenchmarkException("void: %s works with no settings".formatted(kind.title()));
      }
    }
    all.sort(Comparator.comparingDouble((Tried t) -> t.capacity.rowsPerSecond()).reversed());
    return all;
  }

  private Capacity kept(PeerKind kind, PeerSettings settings) throws Exception {
    String key = kind.title() + ", " + settings.text();
    String found = kept.getProperty(key);
    boolean known = found != null && parse(found).busy() >= leastBusy;
    Capacity capacity = found != null && known ? parse(found) : measure(kind, settings);
    say(
        "%s, %s: %.0f rows/s, %.2f us of processor a row, core %.0f %% busy, %d in flight%s"
            .formatted(
                model.model().title(),
                key,
                capacity.rowsPerSecond(),
                capacity.cpuMicros(),
                100 * capacity.busy(),
                capacity.inFlight(),
                known ? " (kept)" : ""));
    if (!known && capacity.rowsPerSecond() > 0 && capacity.busy() >= leastBusy) {
      kept.setProperty(
          key,
          "%d %s %s"
              .formatted(capacity.inFlight(), capacity.rowsPerSecond(), capacity.cpuMicros()));
      try (Writer writer = Files.newBufferedWriter(file)) {
        kept.store(writer, "calls in flight, rows a second, microseconds a row");
      }
    }
    return capacity;
  }

  private static Capacity parse(String text) {
    String[] words = text.split(" ", -1);
    return new Capacity(
        Integer.parseInt(words[0]), Double.parseDouble(words[1]), Double.parseDouble(words[2]));
  }

  /** No rows a second where a peer does not work with {@code settings}. */
  private Capacity measure(PeerKind kind, PeerSettings settings) throws Exception {
    PeerSides.Started peer;
    try {
      peer = start(kind, settings);
    } catch (IOException e) {
      return none(kind, settings, e);
    }
    try (peer) {
      peer.server().capacity(2, seconds / 2);
      return peer.server().best(IN_FLIGHT, seconds);
    } catch (BenchmarkException e) {
      return none(kind, settings, e);
    }
  }

  /** Once more where it fails: another process may have taken a port meanwhile. */
  private PeerSides.Started start(PeerKind kind, PeerSettings settings)
      throws IOException, BenchmarkException {
    try {
      return sides.start(kind, settings);
    } catch (IOException e) {
      say("%s, %s, once more: %s".formatted(kind.title(), settings.text(), e.getMessage()));
      return sides.start(kind, settings);
    }
  }

  private Capacity none(PeerKind kind, PeerSettings settings, Exception reason) {
    say("%s, %s does not work: %s".formatted(kind.title(), settings.text(), reason.getMessage()));
    return new Capacity(0, 0, 0);
  }

  private void say(String line) {
    context.progress().println(line);
    context.progress().flush();
  }
}
