package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.SigningKey;
import dev.wukong.bundle.TableRows;
import dev.wukong.bundle.TrustedKeys;
import dev.wukong.data.EncodedExamples;
import dev.wukong.proto.v1.ExportBundleRequest;
import dev.wukong.proto.v1.ExportBundleResponse;
import dev.wukong.proto.v1.RollbackRequest;
import dev.wukong.proto.v1.RollbackResponse;
import dev.wukong.runtime.Device;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.testing.Served;
import dev.wukong.training.ChangedRows;
import dev.wukong.training.OnlineSession;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.FileSystemUtils;

/** What was learned becomes a bundle, which serves and learns on. */
class ExportedLearningTest {
  private static final ExportBundleRequest EXPORT =
      ExportBundleRequest.newBuilder().setModel(LearningModel.NAME).build();

  @TempDir Path folder;
  private Path bundles = Path.of("");

  @BeforeEach
  void train() throws Exception {
    bundles = LearningModel.train(folder);
  }

  @Test
  void export_whileItIsPaused_servesTheSameAndLearnsAllThatCame() throws Exception {
    // Learning ten times as fast, weights outgrow half precision.
    try (LearningService service = LearningService.start(bundles, 1, "wukong.online.rate=1")) {
      service.click(0, 3, 20);
      service.awaitExamples(20 * LearningService.EXAMPLES);
      service.pause();
      float[] before = service.predict(0).probabilities();
      service.click(0, 4, 5);

      ExportBundleResponse done = service.admin().exportBundle(EXPORT);

      assertThat(done.getVersion()).isEqualTo(2);
      assertThat(done.getOf().getBundle()).isEqualTo(1);
      assertThat(done.getOf().getDense()).isPositive();
      assertThat(done.getManifestSha256()).hasSize(64);
      service.served().awaitServing(LearningModel.NAME, 2);
      assertThat(service.predict(0).probabilities()).containsExactly(before);
      assertThat(service.predict(0).response().getVersion().getBundle()).isEqualTo(2);
      assertGoesOnAlike(service);
      Served.await("the trainer follows", () -> service.trainer().status().bundle() == 2);
      assertThat(service.trainer().status().phase()).isEqualTo(OnlineTrainer.Phase.PAUSED);

      service.resume();
      service.awaitExamples(5 * LearningService.EXAMPLES); // Since the bundle.
      assertThat(service.predict(0).probability(4, 0)).isNotEqualTo(before[4 * 2]);
      assertThat(service.predict(0).response().getVersion().getDense()).isPositive();
      MeterRegistry meters = service.served().bean(MeterRegistry.class);
      assertThat(meters.get("wukong.online.examples").tag("outcome", "foreign").counter().count())
          .isZero();
      // Each click, once; no negative has a label that anybody waits for.
      assertThat(meters.get("wukong.online.visible").timer().count()).isEqualTo(25);
    }
    try (LearningService service = LearningService.start(bundles, 2)) {
      service.click(0, 4, 1);
      service.awaitExamples(6 * LearningService.EXAMPLES);
      assertThat(service.admin().exportBundle(EXPORT).getVersion()).isEqualTo(3);
      service.served().awaitServing(LearningModel.NAME, 3);
    }
  }

  @Test
  void export_whereSignaturesAreWanted_isSignedOrRefused() throws Exception {
    String id = SigningKey.make(folder, "own");
    SigningKey own = SigningKey.read(folder.resolve("own.key"));
    own.sign(bundles.resolve(LearningModel.NAME + "/1"));
    String trusted = "wukong.bundles.trusted-keys=" + folder.resolve("own.pub");
    try (LearningService service = LearningService.start(bundles, 1, trusted)) {
      service.click(0, 3, 1);
      service.awaitExamples(LearningService.EXAMPLES);
      StatusRuntimeException refused =
          catchThrowableOfType(
              StatusRuntimeException.class, () -> service.admin().exportBundle(EXPORT));
      assertThat(refused.getStatus().getCode()).isEqualTo(Code.FAILED_PRECONDITION);
      assertThat(refused.getStatus().getDescription())
          .isEqualTo(
              "an export would not be used here: wukong.bundles.trusted-keys wants signatures, and"
                  + " wukong.online.signing-key is no key that it trusts");
    }
    try (LearningService service =
        LearningService.start(
            bundles, 1, trusted, "wukong.online.signing-key=" + folder.resolve("own.key"))) {
      Served.await("the trainer learns", () -> service.trainer().status().bundle() == 1);
      assertThat(service.admin().exportBundle(EXPORT).getVersion()).isEqualTo(2);
      service.served().awaitServing(LearningModel.NAME, 2);
    }
    TrustedKeys keys = TrustedKeys.read(List.of(folder.resolve("own.pub")));
    try (Bundle exported = Bundle.open(bundles.resolve(LearningModel.NAME + "/2"), keys)) {
      assertThat(exported.signedBy()).isEqualTo(id);
    }
  }

  /** A step from the new bundle is that of the old one with what it had learned. */
  private void assertGoesOnAlike(LearningService service) throws Exception {
    BundleStore store = new BundleStore(bundles);
    StateStore learned = (StateStore) service.served().bean(RowStore.class);
    RowsView of1 = new RowsView(LearningModel.NAME, 1, 0);
    try (Bundle first = store.open(LearningModel.NAME, 1);
        Bundle second = store.open(LearningModel.NAME, 2);
        HeapRowStore none = new HeapRowStore();
        OnlineSession on = session(first, first, learned, second.manifest());
        OnlineSession anew = session(second, second, none, second.manifest())) {
      LearnedMark mark = LearnedMark.read(learned, of1).orElseThrow();
      on.restore(DenseState.read(learned, of1));
      on.restoreSteps(mark.steps());
      assertThat(anew.steps()).isEqualTo(mark.steps());
      assertThat(anew.dense()).usingRecursiveComparison().isEqualTo(on.dense());
      EncodedExamples examples = GoldenExamples.of(first.manifest().golden(), first.encoder());
      Arrays.fill(examples.labels(), 1);
      Arrays.fill(examples.labelWeights(), 1);
      for (int step = 0; step < 3; step++) {
        assertThat(anew.step(examples, 1).probabilities())
            .containsExactly(on.step(examples, 1).probabilities());
      }
      assertThat(anew.dense()).usingRecursiveComparison().isEqualTo(on.dense());
      List<ChangedRows> rows = on.changedRows();
      assertThat(rows).isNotEmpty();
      assertThat(anew.changedRows()).usingRecursiveComparison().isEqualTo(rows);

      Manifest manifest = second.manifest();
      assertThat(manifest.rows()).isGreaterThan(first.manifest().rows());
      assertThat(manifest.encoding()).isEqualTo(first.manifest().encoding());
      assertThat(first.manifest().precisions()).containsKey(Precision.FP16);
      assertThat(manifest.precisions()).containsKey(Precision.FP16);
      assertThat(manifest.provenance().versions())
          .containsEntry("learned-from-version", "1")
          .containsEntry("learned-examples", Long.toString(mark.examples()));
      assertThat(manifest.metrics().get("online-learner")).containsKeys("click", "conversion");
      assertThat(manifest.tables().stream().map(TableRows::table).toList())
          .isEqualTo(first.manifest().tables().stream().map(TableRows::table).toList());
      assertThat(manifest.defaultRows()).hasSameSizeAs(first.manifest().defaultRows());
    }
  }

  private static OnlineSession session(
      Bundle bundle, Bundle rowsOf, StateStore store, Manifest defaults) throws Exception {
    RowsView view = new RowsView(LearningModel.NAME, rowsOf.manifest().version(), 0);
    // Row-wise AdaGrad keeps one float of a row.
    LearnedRows rows = new LearnedRows(store, view, rowsOf, _ -> 1);
    Map<String, float[]> byName = defaults.defaultRows();
    List<float[]> rowsByDefault =
        bundle.layout().tables().stream()
            .map(table -> byName.getOrDefault(table.name(), new float[table.width()]))
            .toList();
    return OnlineSession.of(
        bundle,
        new OnlineSession.Options(32, 1, new Device.Cpu(), Precision.FP32),
        rows.byKey(rowsByDefault));
  }

  @Test
  void export_nothingToWriteOrNoPlace_isRefusedAndTrainingGoesOn() throws Exception {
    try (LearningService service = LearningService.start(bundles, 1)) {
      Served.await(
          "it learns", () -> service.trainer().status().phase() == OnlineTrainer.Phase.LEARNING);
      assertThat(refusal(service, LearningModel.NAME))
          .isEqualTo("model 'learner' has learned nothing since version 1");
      service.click(0, 3, 2);
      service.awaitExamples(2 * LearningService.EXAMPLES);
      Path inTheWay =
          Files.createDirectories(bundles.resolve("learner").resolve("999999999999999999"));
      assertThat(refusal(service, LearningModel.NAME))
          .startsWith("model 'learner' cannot be exported: ");
      Files.delete(inTheWay);
      service.click(0, 3, 1);
      service.awaitExamples(3 * LearningService.EXAMPLES);
      assertThat(service.admin().exportBundle(EXPORT).getVersion()).isEqualTo(2);
    }
  }

  /** What the bundle holds was learned from the events before its place in the log. */
  @Test
  void start_whatWasLearnedIsLost_goesOnWhereTheBundleWas() throws Exception {
    long next;
    try (LearningService service = LearningService.start(bundles, 1)) {
      service.click(0, 3, 20);
      service.awaitExamples(20 * LearningService.EXAMPLES);
      ExportBundleResponse _ = service.admin().exportBundle(EXPORT);
      service.served().awaitServing(LearningModel.NAME, 2);
      Served.await("the trainer follows", () -> service.trainer().status().bundle() == 2);
      next = service.trainer().status().next();
    }
    Path store = bundles.resolveSibling(bundles.getFileName() + ".store");
    assertThat(FileSystemUtils.deleteRecursively(store)).isTrue();
    try (LearningService service = LearningService.start(bundles, 2)) {
      service.awaitLearning();
      service.click(0, 4, 1);
      service.awaitExamples(LearningService.EXAMPLES);
      assertThat(service.trainer().status().mark().examples()).isEqualTo(LearningService.EXAMPLES);
      assertThat(service.trainer().status().next()).isGreaterThan(next);
    }
  }

  /** A number that is kept out would never serve. */
  @Test
  void export_afterARollbackWhoseVersionIsGone_hasAnotherNumber() throws Exception {
    try (LearningService service = LearningService.start(bundles, 1)) {
      service.click(0, 3, 2);
      service.awaitExamples(2 * LearningService.EXAMPLES);
      ExportBundleResponse _ = service.admin().exportBundle(EXPORT);
      service.served().awaitServing(LearningModel.NAME, 2);
      RollbackResponse _ =
          service
              .admin()
              .rollback(
                  RollbackRequest.newBuilder()
                      .setModel(LearningModel.NAME)
                      .setReason("it is worse")
                      .build());
      Path model = bundles.resolve(LearningModel.NAME);
      assertThat(FileSystemUtils.deleteRecursively(model.resolve("2"))).isTrue();
      Files.delete(model.resolve(".lock")); // As in a copy without hidden files.
      Served.await("the trainer follows", () -> service.trainer().status().bundle() == 1);
      long learned = service.trainer().status().mark().examples();
      service.click(0, 3, 2);
      service.awaitExamples(learned + LearningService.EXAMPLES);

      assertThat(service.admin().exportBundle(EXPORT).getVersion()).isEqualTo(3);
      service.served().awaitServing(LearningModel.NAME, 3);
    }
  }

  private static String refusal(LearningService service, String model) {
    StatusRuntimeException refusal =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                service
                    .admin()
                    .exportBundle(ExportBundleRequest.newBuilder().setModel(model).build()));
    assertThat(refusal.getStatus().getCode()).isEqualTo(Code.FAILED_PRECONDITION);
    return String.valueOf(refusal.getStatus().getDescription());
  }
}
