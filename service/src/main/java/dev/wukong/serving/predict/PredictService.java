package dev.wukong.serving.predict;

import dev.wukong.data.DataException;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.predict.ServingException.BadRequest;
import dev.wukong.serving.predict.ServingException.Defect;
import dev.wukong.serving.sight.Door;
import dev.wukong.serving.sight.Sight;
import dev.wukong.serving.sight.Sights;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Predict call. Each runs on a thread of its own, which may wait: for rows, and for its
 * batches.
 */
public final class PredictService extends RankingServiceGrpc.RankingServiceImplBase
    implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PredictService.class);

  /** More than the log shows of an id. */
  private static final int SHOWN_ID = 2 * RequestDecoder.MAX_REQUEST_ID;

  private final Scoring scoring;
  private final PredictMeters meters;
  private final Sights sights;
  private final LongAdder answered = new LongAdder();

  /**
   * The service.
   *
   * @param features logs what was scored
   * @param sights told of every request once it is answered or refused
   */
  public PredictService(
      ModelHost host,
      PredictLimits limits,
      PredictionIds ids,
      FeatureLog features,
      MeterRegistry meters,
      Sights sights) {
    this.scoring = new Scoring(host, limits, ids, features, meters);
    this.meters = new PredictMeters(meters);
    this.sights = sights;
  }

  @Override
  public void predict(PredictRequest request, StreamObserver<PredictResponse> answer) {
    Sight sight = sights.begin(Door.GRPC);
    PredictResponse response;
    try {
      response = score(request, Packing.NONE, sight);
    } catch (StatusRuntimeException e) {
      answer.onError(e);
      return;
    }
    answer.onNext(response); // Which turns it into bytes as well.
    // Before the call ends: a caller who then looks finds it counted.
    answered(sight);
    answer.onCompleted();
  }

  /**
   * The answer to {@code request}, for other doors; the caller's thread waits for it.
   *
   * @param request which names the model, and what the choice of a version depends on
   * @param packing adds its values, by the schema of the version that answers
   * @throws StatusRuntimeException as the call itself fails
   */
  public PredictResponse score(Door door, PredictRequest request, Packing packing) {
    Sight sight = sights.begin(door);
    PredictResponse response = score(request, packing, sight);
    answered(sight);
    return response;
  }

  /**
   * Refuses what came by another door and is no request that could be packed: counted and seen as
   * Predict's own refusals are.
   *
   * @return what the call fails with
   */
  public StatusRuntimeException refuse(Door door, DataException why) {
    return refuse(new BadRequest(String.valueOf(why.getMessage())), sights.begin(door));
  }

  private PredictResponse score(PredictRequest request, Packing packing, Sight sight) {
    sight.asked(shownId(request), request.getCandidates().getRows());
    try {
      PredictResponse response = scoring.score(request, packing, sight);
      answered.increment();
      return response;
    } catch (ServingException e) {
      throw refuse(e, sight);
    } catch (RuntimeException e) {
      log.error("a Predict request failed", e);
      throw refuse(new Defect("the server failed on this request; its log says why"), sight);
    }
  }

  private void answered(Sight sight) {
    sight.replied(System.nanoTime());
    meters.answered(sight);
    sights.seen(sight);
  }

  private StatusRuntimeException refuse(ServingException failure, Sight sight) {
    meters.refused(failure);
    StatusRuntimeException status = StatusMapping.toStatus(failure);
    sight.refused(System.nanoTime(), status.getStatus().getCode(), StatusMapping.reason(failure));
    sights.seen(sight);
    return status;
  }

  /** Says what became of all requests; called when no more can come. */
  @Override
  public void close() {
    scoring.close();
    log.info(
        "stopped: {} requests were admitted, {} of them answered",
        scoring.admitted(),
        answered.sum());
  }

  /** For the log, of a request that has not been checked: its beginning where it is too long. */
  private static String shownId(PredictRequest request) {
    return request.getRequestIdBytes().size() > RequestDecoder.MAX_REQUEST_ID
        ? request
            .getRequestIdBytes()
            .substring(0, Math.min(SHOWN_ID, request.getRequestIdBytes().size()))
            .toStringUtf8()
        : request.getRequestId();
  }
}
