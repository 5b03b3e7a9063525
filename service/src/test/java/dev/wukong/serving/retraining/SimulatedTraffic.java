package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.Feature;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.RowEncoder;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.serving.retraining.TimedRequest.Label;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a simulated world, evenly over a time. Users see all candidates and click a
 * moment later; or what they see is what they have clicked, and converts a long time after.
 */
final class SimulatedTraffic {
  private static final long SEEN_MS = 500;

  /** What is measured, and learned. */
  enum Kind {
    /** Clicks of all candidates. */
    CLICKS,
    /** Conversions of those that were clicked: nobody asks about others. */
    CONVERSIONS
  }

  private final Simulator simulator;
  private final Kind kind;
  private final Duration clickDelay;

  /**
   * Traffic of {@code simulator}.
   *
   * @param clickDelay mean time from what is seen to a click
   */
  SimulatedTraffic(Simulator simulator, Kind kind, Duration clickDelay) {
    this.simulator = simulator;
    this.kind = kind;
    this.clickDelay = clickDelay;
  }

  /** The simulator's features with the one task that is learned. */
  Schema schema() {
    Schema all = simulator.schema();
    return new Schema(
        all.name(),
        all.features(),
        all.tasks().stream().filter(t -> t.name().equals(task())).toList());
  }

  /** The task that is learned. */
  String task() {
    return switch (kind) {
      case CLICKS -> Simulator.CLICK;
      case CONVERSIONS -> Simulator.CONVERSION;
    };
  }

  /** Of each request, before any is left out. */
  int candidates() {
    return simulator.config().candidates();
  }

  /** Rows to train on before, with all labels. */
  RowSource rows(long from, long to) {
    return simulator.rows(from, to);
  }

  /**
   * Requests {@code from} to {@code to} - 1.
   *
   * @param over the time from the first to the last
   */
  Iterator<TimedRequest> requests(
      FeatureEncoder encoder, long from, long to, long beginMs, Duration over) {
    return new Iterator<>() {
      private final Encoding encoding = new Encoding(encoder);
      private long index = from;

      @Override
      public boolean hasNext() {
        return index < to;
      }

      @Override
      public TimedRequest next() {
        if (index >= to) {
          throw new NoSuchElementException("no request is left");
        }
        long at = beginMs + (long) ((double) (index - from) / (to - from) * over.toMillis());
        return timed(encoding, simulator.request(index++), at);
      }
    };
  }

  private TimedRequest timed(Encoding encoding, Request request, long atMs) {
    SplittableRandom random =
        new SplittableRandom(simulator.config().seed() ^ request.index() << 8);
    List<Request.Candidate> candidates =
        request.candidates().stream().filter(c -> kind == Kind.CLICKS || c.clicked()).toList();
    int count = candidates.size();
    double[] truth = new double[count];
    List<Label> labels = new ArrayList<>();
    long seenMs = atMs + SEEN_MS;
    for (int i = 0; i < count; i++) {
      Request.Candidate candidate = candidates.get(i);
      switch (kind) {
        case CLICKS -> {
          truth[i] = candidate.clickProbability();
          double delay = -Math.log1p(-random.nextDouble());
          if (candidate.clicked()) {
            long at = seenMs + Math.round(delay * clickDelay.toMillis());
            labels.add(new Label(i, task(), 1, at));
          }
        }
        case CONVERSIONS -> {
          truth[i] = candidate.conversionProbability();
          if (candidate.converted()) {
            labels.add(new Label(i, task(), 1, seenMs + candidate.conversionDelay().toMillis()));
          }
        }
      }
    }
    int[] all = IntStream.range(0, count).toArray();
    return new TimedRequest(
        atMs, encoding.rows(request.context(), candidates), all, seenMs, labels, truth);
  }

  /** Encodes requests as the columns of a file would be. */
  private static final class Encoding implements RowSource {
    private final FeatureEncoder encoder;
    private final List<String> columns = new ArrayList<>();
    private final boolean[] ofContext;
    private final int[] places;
    private final RowEncoder rows;
    private final EncodingCounts counts = new EncodingCounts();
    private List<@Nullable Object> context = List.of();
    private List<@Nullable Object> candidate = List.of();
    private long row;

    Encoding(FeatureEncoder encoder) {
      this.encoder = encoder;
      List<Feature> features = encoder.schema().features();
      this.ofContext = new boolean[features.size()];
      this.places = new int[features.size()];
      int contexts = 0;
      int candidates = 0;
      for (Feature feature : features) {
        int at = columns.size();
        columns.add(feature.column());
        ofContext[at] = feature.scope() == Scope.CONTEXT;
        places[at] = ofContext[at] ? contexts++ : candidates++;
      }
      this.rows = encoder.bind(this);
    }

    EncodedExamples rows(List<@Nullable Object> of, List<Request.Candidate> candidates) {
      EncodedExamples encoded = EncodedExamples.allocate(encoder, candidates.size());
      context = of;
      for (int i = 0; i < candidates.size(); i++) {
        candidate = candidates.get(i).values();
        row++;
        rows.encode(encoded.context(), encoded.candidate(), i, counts);
      }
      return encoded;
    }

    @Override
    public String name() {
      return "simulated traffic";
    }

    @Override
    public List<String> columns() {
      return List.copyOf(columns);
    }

    @Override
    public boolean next() {
      return false; // Rows are put here one by one.
    }

    @Override
    public long row() {
      return row;
    }

    @Override
    public @Nullable Object value(int column) {
      return (ofContext[column] ? context : candidate).get(places[column]);
    }

    @Override
    public void close() {}
  }
}
