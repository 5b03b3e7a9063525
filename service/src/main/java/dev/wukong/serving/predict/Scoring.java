package dev.wukong.serving.predict;

import com.google.protobuf.UnsafeByteOperations;
import dev.wukong.data.DataException;
import dev.wukong.proto.v1.ModelSelector.PickCase;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.Quality;
import dev.wukong.proto.v1.Timing;
import dev.wukong.serving.batching.Admission;
import dev.wukong.serving.batching.Batcher;
import dev.wukong.serving.batching.Job;
import dev.wukong.serving.batching.Outcome;
import dev.wukong.serving.embedding.DefaultedPositions;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.serving.inputs.Pool;
import dev.wukong.serving.predict.ServingException.BadRequest;
import dev.wukong.serving.predict.ServingException.Cancelled;
import dev.wukong.serving.predict.ServingException.DeadlinePassed;
import dev.wukong.serving.predict.ServingException.Defect;
import dev.wukong.serving.predict.ServingException.NotFinite;
import dev.wukong.serving.predict.ServingException.NotReady;
import dev.wukong.serving.predict.ServingException.Overloaded;
import dev.wukong.serving.sight.Sight;
import io.grpc.Context;
import io.grpc.Deadline;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Scores one request: all that lies between the doors and the batches. Any thread that may wait.
 */
final class Scoring implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Scoring.class);

  /** When to try again where nothing says how long it will take. */
  private static final Duration SOON = Duration.ofMillis(100);

  /** Rooms kept at most: what more requests at once took is left to the collector. */
  private static final int IDLE_ROOMS = 128;

  private final ModelLookup models;
  private final PredictLimits limits;
  private final RequestDecoder decoder;
  private final PredictionIds ids;
  private final FeatureLog features;
  private final ShadowScoring shadows;
  private final VersionMeters versions;
  private final Semaphore room;
  private final LongAdder admitted = new LongAdder();
  private final Pool<RequestRoom> rooms = new Pool<>(IDLE_ROOMS, RequestRoom::new);

  /** Versions of models whose results that are not finite have been logged. */
  private final Set<String> reported = ConcurrentHashMap.newKeySet();

  Scoring(
      ModelHost host,
      PredictLimits limits,
      PredictionIds ids,
      FeatureLog features,
      MeterRegistry meters) {
    this.models = new ModelLookup(host);
    this.limits = limits;
    this.decoder = new RequestDecoder(limits);
    this.ids = ids;
    this.features = features;
    this.shadows = new ShadowScoring(decoder, meters);
    this.versions = new VersionMeters(meters);
    this.room = new Semaphore(limits.inFlight());
  }

  /** Requests that were admitted. */
  long admitted() {
    return admitted.sum();
  }

  /** Ends the scoring of copies; called when no more requests can come. */
  @Override
  public void close() {
    shadows.close();
  }

  /**
   * The answer to {@code request}; the caller's thread waits for it.
   *
   * @param packing completes the request
   * @param sight told of each stage as it is reached
   * @throws ServingException where there is none
   */
  PredictResponse score(PredictRequest request, Packing packing, Sight sight) {
    if (!room.tryAcquire()) {
      throw new Overloaded(
          "%d requests are in flight already, that is the limit; try later"
              .formatted(limits.inFlight()),
          SOON);
    }
    try {
      return answer(request, packing, sight);
    } finally {
      room.release();
    }
  }

  private PredictResponse answer(PredictRequest asked, Packing packing, Sight sight) {
    long budget = budgetNanos();
    ServedModel served = models.served("model.name", asked.getModel().getName());
    double point = ModelLookup.point(served, key(asked));
    HostedModel model = models.lease(served, asked.getModel(), point);
    sight.answeredBy(model.name(), model.bundle());
    PredictRequest request;
    boolean packed = false;
    try {
      request = packing.pack(asked, model);
      packed = true;
    } catch (DataException e) {
      throw new BadRequest(String.valueOf(e.getMessage()));
    } finally {
      if (!packed) { // Whatever it was, an Error such as that of no memory included.
        model.release();
      }
    }
    sight.packed(request.getCandidates().getRows());
    return answer(request, served, model, point, budget, sight);
  }

  /** The lease of {@code model} is given back. */
  private PredictResponse answer(
      PredictRequest request,
      ServedModel served,
      HostedModel model,
      double point,
      long budget,
      Sight sight) {
    long began = sight.began();
    boolean leased = true;
    List<ModelInputs> parts = List.of();
    RequestRoom rows = rooms.take();
    long left = Math.max(0, budget - (System.nanoTime() - began)); // Packing has taken some.
    try (Admission.Admitted admitted = admit(request, left, served, model)) {
      long deadline = began + budget;
      Query query = decoder.decode(request, model, rows);
      long decoded = System.nanoTime();
      sight.decoded(decoded, query.candidates().rows(), query.missing(), query.truncated());
      DefaultedPositions positions = new DefaultedPositions(model.layout());
      int batchRows = model.cost().nextRows();
      // Half of the time is left for the queue and the run, which cannot go without.
      long until = decoded + Math.max(0, deadline - decoded) / 2;
      parts = RequestParts.of(query, model, batchRows, until, positions);
      if (query.unseen() > 0) {
        positions.addUnseen(query.context(), query.candidates());
      }
      long resolved = System.nanoTime();
      sight.resolved(resolved, positions.count());
      PredictionId id = ids.next();
      PredictResponse.Builder response = describe(request, model, query, positions, id);
      Job job = new Job(model, parts, batchRows, deadline, model::release);
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
      sight.predicted(PredictionIds.bytes(id)); // Logs need not authenticate anything.
      response.setLogged(features.log(model, id, query, scored.probabilities()));
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
      if (request.getModel().getPickCase() == PickCase.PICK_NOT_SET && served.hasShadows()) {
        shadows.offer(served, point, request, model, scored.probabilities());
      }
      versions.answered(model, query.candidates().rows(), positions.count());
      return response.build();
    } finally {
      if (leased) {
        parts.forEach(ModelInputs::recycle);
        model.release();
      }
      rooms.give(rows);
    }
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

  private PredictResponse.Builder describe(
      PredictRequest request,
      HostedModel model,
      Query query,
      DefaultedPositions defaulted,
      PredictionId id) {
    return PredictResponse.newBuilder()
        .setModel(model.name())
        .addAllTasks(model.taskNames())
        .setVersion(AnsweringVersion.of(model))
        .setPredictionId(ids.issue(id, query.candidates().rows(), model.name()))
        .setRequestId(request.getRequestId())
        .setQuality(
            Quality.newBuilder()
                .setDefaultedIds(defaulted.count())
                .setUnreadIds(defaulted.unread())
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
      if (!hasGone(context)) {
        admitted.ended(); // Who goes away says nothing of how long answers take.
      }
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
    LargestNumber largest = LargestNumber.of(model.layout(), query, where.candidate());
    if (largest != null && largest.absurd(model.precision())) {
      return new NotFinite(
          ("%s: %s, row %d: %s; the model gives no finite result with it (%s)%s, send numbers of"
                  + " the size that it was trained with")
              .formatted(
                  largest.block(),
                  largest.what(),
                  largest.row(),
                  largest.value(),
                  result,
                  switch (model.precision()) {
                    case FP32 -> "";
                    case FP16 -> " in half precision";
                  }),
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

  /** Whether the caller has cancelled the call before its deadline. */
  private static boolean hasGone(Context context) {
    if (!context.isCancelled()) {
      return false;
    }
    Deadline deadline = context.getDeadline();
    return deadline == null || !deadline.isExpired();
  }

  private static ServingException late(Context context) {
    return hasGone(context)
        ? new Cancelled()
        : new DeadlinePassed("the deadline passed before all candidates were scored");
  }

  private static long micros(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos);
  }
}
