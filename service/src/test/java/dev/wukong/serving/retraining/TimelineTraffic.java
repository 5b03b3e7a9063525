package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.FileFormat;
import dev.wukong.data.RowEncoder;
import dev.wukong.data.RowSource;
import dev.wukong.serving.retraining.TimedRequest.Label;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * Ratings in the order of their times, each a request with one candidate that is seen and labelled
 * at once: liked, or not.
 */
final class TimelineTraffic {
  /** The task that is learned. */
  static final String TASK = "like";

  private static final String TIME = "timestamp";
  private static final long LABEL_MS = 500;

  private final Path file;

  TimelineTraffic(Path file) {
    this.file = file;
  }

  /** Row {@code from}, counted from 0, to {@code to} - 1. */
  RowSource rows(long from, long to) {
    return new Part(FileFormat.guess(file).open(file), from, to);
  }

  /** The same as they came; closed by whoever made {@code rows}. */
  Iterator<TimedRequest> requests(RowSource rows, FeatureEncoder encoder) {
    RowEncoder encode = encoder.bindLabelled(rows);
    int time = rows.columns().indexOf(TIME);
    EncodingCounts counts = new EncodingCounts();
    return new Iterator<>() {
      private boolean ready = rows.next();

      @Override
      public boolean hasNext() {
        return ready;
      }

      @Override
      public TimedRequest next() {
        if (!ready) {
          throw new NoSuchElementException("no rating is left");
        }
        EncodedExamples example = EncodedExamples.allocate(encoder, 1);
        encode.encode(example.context(), example.candidate(), 0, counts);
        encode.labels(example.labels(), example.labelWeights(), 0);
        float label = example.labels()[0];
        long atMs = 1000 * Long.parseLong(String.valueOf(rows.value(time)));
        ready = rows.next();
        return new TimedRequest(
            atMs,
            example,
            new int[] {0},
            atMs,
            List.of(new Label(0, TASK, label, atMs + LABEL_MS)),
            new double[] {label});
      }
    };
  }

  /** Some rows of a source. */
  private static final class Part implements RowSource {
    private final RowSource all;
    private final long to;

    Part(RowSource all, long from, long to) {
      this.all = all;
      this.to = to;
      while (all.row() < from && all.next()) {
        // Passed over.
      }
    }

    @Override
    public String name() {
      return all.name();
    }

    @Override
    public List<String> columns() {
      return all.columns();
    }

    @Override
    public boolean next() {
      return all.row() < to && all.next();
    }

    @Override
    public long row() {
      return all.row();
    }

    @Override
    public @Nullable Object value(int column) {
      return all.value(column);
    }

    @Override
    public void close() {
      all.close();
    }
  }
}
