package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.RequestPacker;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.events.HeapEventLog;
import dev.wukong.serving.events.QueueRoom;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.predict.FeatureLog;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.serving.predict.PredictService;
import dev.wukong.serving.predict.PredictionIds;
import dev.wukong.serving.sight.Sights;
import dev.wukong.serving.testing.Answer;
import dev.wukong.serving.testing.FailingEventLog;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Mistakes that other servers make which learn, as far as one process can make them, and what finds
 * each here. Those that need several processes are none of ours.
 *
 * <table>
 *   <caption>By mistake</caption>
 *   <tr><td>what has changed is forgotten before the write that may fail</td>
 *       <td>{@link FailedDiskTest#store_writeFails_haltsTrainingAndTakesFeedbackAndPredictsOn},
 *       {@link CrashPointsTest#commit_ofAKind_diesBeforeAndAfterItsWrite}</td></tr>
 *   <tr><td>... or beyond two million rows</td>
 *       <td>{@code RocksRowStoreTest.apply_moreRowsThanOthersRemember_hasThemAll}</td></tr>
 *   <tr><td>counts of ids do not survive a restart</td>
 *       <td>{@code RowAdmissionTest.restore_afterAnyCommit_goesOnAsIfNothingHadHappened}, {@link
 *       LearnerTest#take_crashesAnywhere_isTheSameToTheBit}</td></tr>
 *   <tr><td>every id is let in where there is no room to count</td>
 *       <td>{@code RowAdmissionTest.see_countersAreFull_closesForNewIdsAlone}, {@code
 *       RowAdmissionTest.see_noRoomForARow_admitsWhenThereIs}</td></tr>
 *   <tr><td>what finds no room in a queue is dropped in silence</td>
 *       <td>{@link #predict_queueIsFull_saysOfEachWhetherItIsLogged}</td></tr>
 *   <tr><td>requests see rows of one state and weights of another</td>
 *       <td>{@code TornReadsTest}, which plants that, too</td></tr>
 *   <tr><td>writes are not synced</td>
 *       <td>{@code RocksEventLogTest.appendAndTrim_eachWrite_isSynced}, {@code
 *       RocksRowStoreTest.apply_eachCommit_isSynced}</td></tr>
 *   <tr><td>a write that failed is tried again</td>
 *       <td>{@link FailedDiskTest}, {@code LogKillTest.rocks_writeFails_takesNothingMoreAndIsReadOn},
 *       {@code FullDiskTest}</td></tr>
 *   <tr><td>labels stall, and everybody is taken for a negative</td>
 *       <td>{@link StalledLabelsTest}, {@link StallBreakerTest}, {@code
 *       JoinTest.take_frozen_closesNothing_andAfterItNotBeforeTheGrace}</td></tr>
 *   <tr><td>a connection may have any number of calls, and of resets</td>
 *       <td>{@code ConnectionLimitsTest}; of bytes: {@code
 *       BadRequestsTest.predict_messageTooLarge_isResourceExhausted}; of age: {@code
 *       StartTest.settings_ofTheFrameworks_standInTheHelpWithTheDefaultsOfTheService}</td></tr>
 *   <tr><td>twenty requests are let in however long each takes</td>
 *       <td>{@code AdmissionTest.admit_shortDeadline_stopsWhereItWouldBeMissed}, {@code
 *       AdmissionTest.ended_answersTakeTwiceAsLong_letsHalfAsManyIn}</td></tr>
 *   <tr><td>the refused are told UNAVAILABLE, so that they come again at once</td>
 *       <td>{@code PredictLimitsTest.predict_queueIsFull_isResourceExhausted}, {@code
 *       PredictLimitsTest.predict_moreInFlightThanAllowed_isRefusedUntilOneHasEnded}</td></tr>
 * </table>
 */
class MistakesOfOthersTest {
  private static final int SENT = 40;
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private static PredictRequest request() {
    return new RequestPacker("tiny", TinyModel.schema())
        .pack(Map.of(), List.of(Map.of("item", 1, "picture", List.of(0, 0))));
  }

  /** The disk stands still meanwhile, so that there is no room for most. */
  @Test
  void predict_queueIsFull_saysOfEachWhetherItIsLogged(@TempDir Path folder) throws Exception {
    Path bundles = folder.resolve("bundles");
    new TinyModel(1).write(bundles, "tiny", 1);
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    CountDownLatch disk = new CountDownLatch(1);
    int promised = 0;
    try (HeapEventLog stored = new HeapEventLog();
        Served served = Served.serving(bundles, "tiny", 1)) {
      FailingEventLog log = new FailingEventLog(stored);
      log.onWrite = () -> await(disk);
      try (EventWriter writer =
          new EventWriter(
              log,
              new EventRetention(Duration.ofDays(1), Long.MAX_VALUE, () -> 0, () -> 0),
              new QueueRoom(8, 1L << 20),
              () -> 0,
              registry)) {
        PredictService service =
            new PredictService(
                served.bean(ModelHost.class),
                new PredictLimits(8, 8, 8, MINUTE, MINUTE),
                new PredictionIds(Clock.systemUTC(), new SplittableRandom(1)),
                FeatureLog.of(writer, "tiny"::equals, 1),
                registry,
                Sights.none());
        for (int i = 0; i < SENT; i++) {
          Answer<PredictResponse> answer = new Answer<>();
          service.predict(request(), answer);
          promised += answer.value().getLogged() ? 1 : 0;
        }
        disk.countDown();
      }
      assertThat(promised).isBetween(8, SENT - 8);
      assertThat(stored.end()).isEqualTo(promised);
      assertThat(registry.get("wukong.events.unlogged").tag("reason", "queue").counter().count())
          .isEqualTo(SENT - promised);
    }
  }

  private static void await(CountDownLatch disk) {
    boolean interrupted = false;
    while (true) {
      try {
        disk.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
