package dev.wukong.serving.predict;

import com.google.protobuf.UnsafeByteOperations;
import dev.wukong.proto.v1.ModelSelector.PickCase;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.Quality;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.Timing;
import dev.wukong.serving.batching.Admission;
import dev.wukong.serving.batching.Batcher;
import dev.wukong.serving.batching.Job;
import dev.wukong.serving.batching.Outcome;
import dev.wukong.serving.embedding.DefaultedPositions;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.serving.inputs.Pool;
import dev.wukong.serving.predict.PredictMeters.ModelMeters;
import dev.wukong.serving.predict.ServingException.Cancelled;
import dev.wukong.serving.predict.ServingException.DeadlinePassed;
import dev.wukong.serving.predict.ServingException.Defect;
import dev.wukong.serving.predict.ServingException.NotFinite;
import dev.wukong.serving.predict.ServingException.NotReady;
import dev.wukong.serving.predict.ServingException.Overloaded;
import dev.wukong.serving.sight.Door;
import dev.wukong.serving.sight.Sight;
import dev.wukong.serving.sight.Sights;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Predict call. Each runs on a thread of its own, which may wait: for rows, and for its
 * batches.
 */
public final class PredictService extends RankingServiceGrpc.RankingServiceImplBase
    implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PredictService.class);

  /** When to try again where nothing says how long it will take. */
  private static final Duration SOON = Duration.ofMillis(100);

  /** Why a request of another door has no answer that could not be made one of Predict. */
  private static final String NOT_PACKED = "not_packed";

  /** More than the log shows of an id. */
  private static final int SHOWN_ID = 2 * RequestDecoder.MAX_REQUEST_ID;

  /** Versions with another schema do not come so often. */
  private static final int PACKED_TRIES = 3;

  /** Rooms kept at most: what more requests at once took is left to the collector. */
  private static final int IDLE_ROOMS = 128;

  private final ModelLookup models;
  private final PredictLimits limits;
  private final RequestDecoder decoder;
  private final PredictionIds ids;
  private final PredictMeters meters;
  private final ShadowScoring shadows;
  private final VersionMeters versions;
  private final Sights sights;
  private final Semaphore room;
  private final LongAdder admitted = new LongAdder();
  private final LongAdder answered = new LongAdder();
  private final Pool<RequestRoom> rooms = new Pool<>(IDLE_ROOMS, RequestRoom::new);

  /** Versions of models whose results that are not finite have been logged. */
  private final Set<String> reported = ConcurrentHashMap.newKeySet();

  /** A service that nobody but meters is told of. */
  public PredictService(
      ModelHost host, PredictLimits limits, PredictionIds ids, MeterRegistry meters) {
    this(host, limits, ids, meters, Sights.none());
  }

  /**
   * The service.
   *
   * @param sights told of every request once it is answered or refused
   */
  public PredictService(
      ModelHost host,
      PredictLimits limits,
      PredictionIds ids,
      MeterRegistry meters,
      Sights sights) {
    this.models = new ModelLookup(host);
    this.limits = limits;
    this.decoder = new RequestDecoder(limits);
    this.ids = ids;
    this.meters = new PredictMeters(meters);
    this.shadows = new ShadowScoring(decoder, meters);
    this.versions = new VersionMeters(meters);
    this.sights = sights;
    this.room = new Semaphore(limits.inFlight());
  }

  @Override
  public void predict(PredictRequest request, StreamObserver<PredictResponse> answer) {
    Sight sight = sights.begin(Door.GRPC);
    PredictResponse response;
    try {
      response = score(request, sight);
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
   * @throws StatusRuntimeException as the call itself fails
   */
  public PredictResponse score(Door door, PredictRequest request) {
    Sight sight = sights.begin(door);
    PredictResponse response = score(request, sight);
    answered(sight);
    return response;
  }

  private PredictResponse score(PredictRequest request, Sight sight) {
    sight.asked(shownId(request), request.getCandidates().getRows());
    try {
      PredictResponse response = admit(request, sight);
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

  /**
   * The answer to what {@code request} gives, which packs it by the schema of the version that
   * serves: again where one with another schema has taken over since.
   *
   * @throws StatusRuntimeException as the call itself fails, and as {@code request} does
   */
  public PredictResponse scorePacked(Door door, Supplier<PredictRequest> request) {
    for (int i = 1; i < PACKED_TRIES; i++) {
      try {
        return score(door, packed(door, request));
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Code.FAILED_PRECONDITION) {
          throw e;
        }
      }
    }
    return score(door, packed(door, request));
  }

  private PredictRequest packed(Door door, Supplier<PredictRequest> request) {
    Sight sight = sights.begin(door);
    try {
      return request.get();
    } catch (RuntimeException e) {
      Code code =
          e instanceof StatusRuntimeException status
              ? status.getStatus().getCode()
              : Code.INVALID_ARGUMENT;
      meters.refused(NOT_PACKED);
      sight.refused(System.nanoTime(), code, NOT_PACKED);
      sights.seen(sight);
      throw e;
    }
  }

  /** Says what became of all requests; called when no more can come. */
  @Override
  public void close() {
    shadows.close();
    log.info(
        "stopped: {} requests were admitted, {} of them answered", admitted.sum(), answered.sum());
  }

  private PredictResponse admit(PredictRequest request, Sight sight) {
    if (!room.tryAcquire()) {
      throw new Overloaded(
          "%d requests are in flight already, that is the limit; try later"
              .formatted(limits.inFlight()),
          SOON);
    }
    try {
      return answer(request, sight);
    } finally {
      room.release();
    }
  }

  private PredictResponse answer(PredictRequest request, Sight sight) {
    long began = sight.began();
    long budget = budgetNanos();
    ServedModel served = models.served("model.name", request.getModel().getName());
    double point = ModelLookup.point(served, key(request));
    HostedModel model = models.lease(served, request.getModel(), point);
    sight.answeredBy(model.name(), model.bundle());
    boolean leased = true;
    List<ModelInputs> parts = List.of();
    RequestRoom rows = rooms.take();
    try (Admission.Admitted admitted = admit(request, budget, served, model)) {
      long deadline = began + budget;
      Query query = decoder.decode(request, model, rows);
      long decoded = System.nanoTime();
      sight.decoded(decoded, query.candidates().rows(), query.missing(), query.truncated());
      DefaultedPositions positions = new DefaultedPositions(model.layout());
      parts = resolve(query, model, served.batcher(), positions);
      if (query.unseen() > 0) {
        positions.addUnseen(query.context(), query.candidates());
      }
      long resolved = System.nanoTime();
      sight.resolved(resolved, positions.count());
      PredictResponse.Builder response = describe(request, model, query, positions.count());
      Job job = new Job(model, parts, deadline, model::release);
      // From here on it holds the lease and the parts; what the answer says of the model has been
      // read.
      leased = false;
      Outcome outcome = await(job, served.batcher(), deadline, admitted);
      Outcome.Scored scored =
          switch (outcome) {
            case Outcome.Scored all -> all;
            case Outcome.Late _ -> throw late(Context.current());
            case Outcome.NotFinite where -> throw notFinite(where, model, query);
            case Outcome.Failed _ ->
                throw new Defect("the model failed on this request; the server's log says why");
          };
      sight.scored(System.nanoTime(), scored.queueNanos(), scored.runNanos(), scored.batchRows());
      sight.predicted(response.getPredictionId());
      response.setScores(UnsafeByteOperations.unsafeWrap(scored.probabilities()));
      if (request.getWantLogits()) {
        response.setLogits(UnsafeByteOperations.unsafeWrap(scored.logits()));
      }
      if (request.getWantTiming()) {
        response.setTiming(
            Timing.newBuilder()
                .setDecodeUs(micros(decoded - began))
                .setResolveUs(micros(resolved - decoded))
                .setQueueUs(micros(scored.queueNanos()))
                .setRunUs(micros(scored.runNanos()))
                .setBatchRows(scored.batchRows()));
      }
      Quality quality = response.getQuality();
      ModelMeters own = meters.of(served.name());
      own.decode().record(decoded - began, TimeUnit.NANOSECONDS);
      own.resolve().record(resolved - decoded, TimeUnit.NANOSECONDS);
      own.candidates().increment(query.candidates().rows());
      own.defaulted().increment(quality.getDefaultedIds());
      own.missing().increment(quality.getMissingValues());
      own.truncated().increment(quality.getTruncatedIds());
      if (request.getModel().getPickCase() == PickCase.PICK_NOT_SET && served.hasShadows()) {
        shadows.offer(served, point, request, model, scored.probabilities());
      }
      versions.answered(model, query.candidates().rows(), quality.getDefaultedIds());
      return response.build();
    } finally {
      if (leased) {
        parts.forEach(ModelInputs::recycle);
        model.release();
      }
      rooms.give(rows);
    }
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

  private static String key(PredictRequest request) {
    return request.getRoutingKey().isEmpty() ? request.getRequestId() : request.getRoutingKey();
  }

  /** Lets the request in, before anything is done for it, if it can be answered in time. */
  private Admission.Admitted admit(
      PredictRequest request, long budget, ServedModel served, HostedModel model) {
    // What it says may be wrong; the decoder will find out.
    int candidates = Math.clamp(request.getCandidates().getRows(), 0, limits.candidates());
    Admission admission = served.batcher().admission();
    return switch (admission.admit(
        candidates, CriticalityClass.share(request.getCriticality()), budget, model.cost())) {
      case Admission.Admitted in -> {
        admitted.increment();
        yield in;
      }
      case Admission.Busy(long wait, long allowed) ->
          throw new Overloaded(
              ("%d candidates are in work, so that these would wait %.1f ms; requests of this"
                      + " criticality and deadline may wait %.1f ms; try later or elsewhere")
                  .formatted(admission.rows(), wait / 1e6, allowed / 1e6),
              Duration.ofNanos(wait - allowed));
      case Admission.Hopeless(long own) ->
          throw new DeadlinePassed(
              "the deadline leaves %.1f ms, and %d candidates take about %.1f ms here"
                  .formatted(budget / 1e6, candidates, own / 1e6));
    };
  }

  /** Time the call has: its own deadline within the server's limits. */
  private long budgetNanos() {
    Deadline deadline = Context.current().getDeadline();
    if (deadline == null) {
      return limits.defaultDeadline().toNanos();
    }
    long left = deadline.timeRemaining(TimeUnit.NANOSECONDS);
    if (left <= 0) {
      throw new DeadlinePassed("the deadline passed before the request was read");
    }
    return Math.min(left, limits.maxDeadline().toNanos());
  }

  /** The request's inputs, in as many parts of equal size as batches need. */
  static List<ModelInputs> resolve(
      Query query, HostedModel model, Batcher batcher, DefaultedPositions defaulted) {
    int candidates = query.candidates().rows();
    int most = Math.min(batcher.policy().maxRows(), model.cost().preferredRows());
    int count = (candidates + most - 1) / most;
    List<ModelInputs> parts = new ArrayList<>(count);
    boolean ready = false;
    try {
      for (int i = 0; i < count; i++) {
        ModelInputs part = model.inputs();
        parts.add(part);
        model.prepare(
            query.context(),
            query.candidates(),
            query.contextOf(),
            (int) ((long) candidates * i / count),
            (int) ((long) candidates * (i + 1) / count),
            part,
            defaulted);
      }
      ready = true;
      return parts;
    } finally {
      if (!ready) {
        parts.forEach(ModelInputs::recycle);
      }
    }
  }

  private PredictResponse.Builder describe(
      PredictRequest request, HostedModel model, Query query, int defaulted) {
    return PredictResponse.newBuilder()
        .setModel(model.name())
        .addAllTasks(model.taskNames())
        .setVersion(ModelVersion.newBuilder().setBundle(model.bundle()))
        .setPredictionId(ids.next())
        .setRequestId(request.getRequestId())
        .setQuality(
            Quality.newBuilder()
                .setDefaultedIds(defaulted)
                .setMissingValues(query.missing())
                .setTruncatedIds(query.truncated()));
  }

  private static Outcome await(
      Job job, Batcher batcher, long deadline, Admission.Admitted admitted) {
    switch (batcher.submit(job)) {
      case ACCEPTED -> {}
      case FULL ->
          throw new Overloaded(
              "%d candidates may wait for a batch, and these would be more; try later"
                  .formatted(batcher.policy().queueRows()),
              SOON);
      case CLOSED -> throw new NotReady("the server is stopping");
    }
    Context context = Context.current();
    Context.CancellationListener gone = c -> batcher.abandon(job);
    context.addListener(gone, Runnable::run);
    try {
      Outcome outcome =
          job.outcome().get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      admitted.ended();
      return outcome;
    } catch (TimeoutException e) {
      admitted.ended();
      batcher.abandon(job);
      throw late(context);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      batcher.abandon(job);
      throw new Cancelled();
    } catch (ExecutionException e) {
      throw new IllegalStateException("an outcome is never exceptional", e);
    } finally {
      context.removeListener(gone);
    }
  }

  /** Names the number that explains it, or the model where none does. */
  private ServingException notFinite(Outcome.NotFinite where, HostedModel model, Query query) {
    String result =
        "candidate %d, task '%s'".formatted(where.candidate(), model.taskNames().get(where.task()));
    LargestNumber largest = LargestNumber.of(model.layout(), query);
    if (largest != null && largest.absurd()) {
      return new NotFinite(
          ("%s: %s, row %d: %s; the model gives no finite result with it (%s), send numbers of the"
                  + " size that it was trained with")
              .formatted(largest.block(), largest.what(), largest.row(), largest.value(), result),
          true);
    }
    String message =
        ("model '%s' version %d gives no finite result (%s), and no number of the request explains"
                + " it")
            .formatted(model.name(), model.bundle(), result);
    if (reported.add(model.name() + "/" + model.bundle())) {
      log.error("{}; logged for the first request only", message);
    }
    return new NotFinite(message, false);
  }

  private static ServingException late(Context context) {
    Deadline deadline = context.getDeadline();
    return context.isCancelled() && (deadline == null || !deadline.isExpired())
        ? new Cancelled()
        : new DeadlinePassed("the deadline passed before all candidates were scored");
  }

  private static long micros(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos);
  }
}
