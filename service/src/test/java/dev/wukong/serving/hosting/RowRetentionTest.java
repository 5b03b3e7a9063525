package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.BundleStore;
import dev.wukong.client.RankingClient;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.testing.ForwardingStore;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which versions' rows are in the store of a running service. */
class RowRetentionTest {
  @TempDir Path folder;

  private Path root() {
    return folder.resolve("bundles");
  }

  private void write(long version) throws Exception {
    new TinyModel((int) version).write(root(), "tiny", version);
  }

  private static ServedModel tiny(Served served) {
    return served.bean(ModelHost.class).model("tiny").orElseThrow();
  }

  private void serve(Served served, long version) throws Exception {
    write(version);
    awaitServing(served, version);
  }

  private static void awaitServing(Served served, long version) throws Exception {
    served.awaitServing("tiny", version);
  }

  private static Set<RowsView> views(long... versions) {
    return LongStream.of(versions)
        .mapToObj(version -> new RowsView("tiny", version, 0))
        .collect(Collectors.toSet());
  }

  private static void awaitStored(Served served, long... versions) throws Exception {
    RowStore store = served.bean(RowStore.class);
    Served.await(
        "the store has " + LongStream.of(versions).boxed().toList() + " only",
        () -> store.stored().equals(views(versions)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rocks", "memory"})
  void swap_severalTimes_keepsWhatServesAndForARestartTheOneBefore(String store) throws Exception {
    write(1);
    try (Served served =
        Served.start(root(), "wukong.rows.store=" + store, "wukong.rows.resident=1KB")) {
      awaitServing(served, 1);
      for (long version = 2; version <= 5; version++) {
        serve(served, version);
        // With room for few rows in memory, an answer needs those in the store.
        TinyModel model = new TinyModel((int) version);
        Map<String, Object> context = Map.of("user", 101);
        Map<String, Object> candidate = Map.of("item", 77, "picture", List.of(0, 0));
        try (RankingClient client =
            RankingClient.over(served.channel(), "tiny", Duration.ofMinutes(2))) {
          assertThat(client.predict(context, List.of(candidate)).probability(0, 0))
              .isCloseTo(TinyModel.probability(model.logit(context, candidate), 0), within(1e-6f));
        }
        if (store.equals("rocks")) {
          awaitStored(served, version - 1, version);
        } else {
          awaitStored(served, version);
        }
      }
    }
  }

  /** With room for few rows in memory, so that the store is used. */
  private Served start() {
    return Served.start(root(), "wukong.rows.resident=1KB");
  }

  @Test
  void swap_whileAVersionIsLeased_keepsItUntilItIsGivenBack() throws Exception {
    write(1);
    try (Served served = start()) {
      awaitServing(served, 1);
      HostedModel leased = Objects.requireNonNull(tiny(served).lease());
      serve(served, 2);
      serve(served, 3);
      serve(served, 4);
      awaitStored(served, 1, 3, 4);

      leased.release();

      awaitStored(served, 3, 4);
    }
  }

  @Test
  void refusedVersion_whileAnotherServes_leavesNoRows() throws Exception {
    write(1);
    try (Served served = start()) {
      awaitServing(served, 1);
      serve(served, 2);
      // Its golden rows are wrong, which shows only after its rows have come in.
      new TinyModel(3).write(root(), "tiny", 3, 0.01f);
      Served.await(
          "version 3 is refused",
          () -> tiny(served).versions().getFirst().phase() instanceof VersionState.Failed);

      awaitStored(served, 1, 2);
      serve(served, 4);
      awaitStored(served, 2, 4);
    }
  }

  @Test
  void start_again_dropsWhatHasNoBundleAndKeepsThePreviousVersion() throws Exception {
    write(1);
    try (Served served = start()) {
      awaitServing(served, 1);
      serve(served, 2);
      serve(served, 3);
      awaitStored(served, 2, 3);
    }
    // Rows as if an import had been cut short, and of a model that is no more.
    try (RowStore store = RocksRowStore.open(folder.resolve("bundles.store"))) {
      for (RowsView view : List.of(new RowsView("tiny", 1, 0), new RowsView("gone", 3, 0))) {
        store.apply(new RowCommit(view, 1, new long[] {1}, new float[] {1}));
      }
      store.markImported(new RowsView("tiny", 9, 0), "digest");
    }
    try (Served served = start()) {
      awaitStored(served, 2, 3);
      awaitServing(served, 3);
    }
    delete(root().resolve("tiny").resolve("3"));
    try (Served served = start()) {
      awaitServing(served, 2);
      awaitStored(served, 2);
    }
  }

  @Test
  void dropOrphans_rootIsNotThere_dropsNothing() throws Exception {
    try (RowStore store = new HeapRowStore()) {
      store.markImported(new RowsView("tiny", 1, 0), "digest");
      RowRetention retention = new RowRetention(store, new BundleStore(root()), () -> false);

      retention.dropOrphans();
      assertThat(store.stored()).isEqualTo(views(1));

      Files.createDirectory(root());
      retention.dropOrphans();
      assertThat(store.stored()).isEmpty();
    }
  }

  @Test
  void dropOrphans_whileStopping_leavesThemToTheNextStart() throws Exception {
    try (RowStore store = new HeapRowStore()) {
      store.markImported(new RowsView("tiny", 1, 0), "digest");
      Files.createDirectory(root());

      new RowRetention(store, new BundleStore(root()), () -> true).dropOrphans();

      assertThat(store.stored()).isEqualTo(views(1));
    }
  }

  @Test
  void dropOrphans_othersUseThem_leavesThem() throws Exception {
    try (RowStore store = new HeapRowStore();
        RowStore shared =
            new ForwardingStore(store) {
              @Override
              public boolean dropUnused(RowsView view) {
                return view.bundle() != 1;
              }

              @Override
              public void drop(RowsView view) {
                throw new AssertionError("dropped without a look at who uses it: " + view);
              }
            }) {
      store.markImported(new RowsView("tiny", 1, 0), "digest");
      Files.createDirectory(root());

      new RowRetention(shared, new BundleStore(root()), () -> false).dropOrphans();

      assertThat(store.stored()).isEqualTo(views(1));
    }
  }

  private static void delete(Path bundle) throws Exception {
    try (Stream<Path> files = Files.walk(bundle)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
