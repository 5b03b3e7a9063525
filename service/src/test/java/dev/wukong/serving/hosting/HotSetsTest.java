package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.EncodedRows;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.inputs.ModelInputs;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HotSetsTest {
  private static final Stamps STAMPS = new Stamps(400);

  /** Room for some of the rows. */
  private static final long BYTES = 200_000;

  @TempDir Path folder;

  private final AtomicLong now = new AtomicLong();
  private SimpleMeterRegistry meters = new SimpleMeterRegistry();

  private HostedModel load(RocksRowStore store, long version) throws Exception {
    meters = new SimpleMeterRegistry();
    HostingOptions options = Hosted.options(folder.resolve("bundles"), BYTES);
    return new BundleLoader(
            options,
            store,
            RowThreads.none(),
            hot(),
            LearnedWeights.NONE,
            meters,
            () -> false,
            Supplier::get)
        .load(folder.resolve("bundles/hot/" + version), Map.of());
  }

  private HotSets hot() {
    return new HotSets(Optional.of(folder.resolve("hot")), now::get);
  }

  private double read(String from) {
    return meters.find("wukong.embedding.rows").tag("from", from).counters().stream()
        .mapToDouble(Counter::count)
        .sum();
  }

  private void write(long version) throws Exception {
    Path _ = STAMPS.write(folder.resolve("bundles"), "hot", version);
  }

  /** Scores rows that are not the first ones of their tables, again and again. */
  private static void score(HostedModel model) {
    for (int i = 0; i < 20; i++) {
      for (long id = 300; id < 304; id++) {
        long[] context = new long[Stamps.CONTEXT_FEATURES];
        long[] candidate = new long[Stamps.CANDIDATE_FEATURES];
        Arrays.fill(context, id);
        Arrays.fill(candidate, id);
        ModelInputs inputs =
            model.prepare(
                new EncodedRows(1, context, new float[0], new float[0]),
                new EncodedRows(1, candidate, new float[0], new float[0]),
                new int[] {0});
        inputs.recycle();
      }
    }
  }

  @Test
  void load_rowsWereHotBefore_areInMemoryAtOnceAlsoOfTheNextVersion() throws Exception {
    write(1);
    write(2);
    try (RocksRowStore store = RocksRowStore.open(folder.resolve("store"));
        ModelHost host = Hosted.host()) {
      HostedModel first = load(store, 1);
      ServedModel served = host.add("hot");
      served.add(first);
      served.serve(1);
      score(first);
      assertThat(read("store")).isPositive(); // So they did not come in by themselves.

      hot().keep(served);
      for (long version = 1; version <= 2; version++) {
        HostedModel next = load(store, version);
        double before = read("store");
        score(next);
        assertThat(read("store")).isEqualTo(before);
        next.retire().join();
      }
    }
  }

  @Test
  void keepSometimes_minutesLater_keepsThemAgain() throws Exception {
    write(1);
    try (RocksRowStore store = RocksRowStore.open(folder.resolve("store"));
        ModelHost host = Hosted.host()) {
      ServedModel served = host.add("hot");
      HotSets hot = hot();
      Path file = folder.resolve("hot/hot.keys");
      hot.keep(served);
      assertThat(file).doesNotExist(); // Nothing serves.
      served.add(load(store, 1));
      served.serve(1);
      hot.keepSometimes(served);
      assertThat(file).doesNotExist();
      now.addAndGet(Duration.ofMinutes(5).toNanos());
      hot.keepSometimes(served);
      assertThat(file).exists();
      Files.delete(file);
      hot.keepSometimes(served);
      assertThat(file).doesNotExist();
    }
  }

  @Test
  void of_fileIsDamaged_startsWithoutIt() throws Exception {
    Files.createDirectories(folder.resolve("hot"));
    Files.writeString(folder.resolve("hot/hot.keys"), "no keys");
    assertThat(hot().of("hot", "schema")).isEmpty();
  }
}
