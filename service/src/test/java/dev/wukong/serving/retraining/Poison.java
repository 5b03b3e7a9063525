package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.serving.retraining.TimedRequest.Label;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** What can go wrong with what a model learns from. */
enum Poison {
  /** Nothing does. */
  NONE,
  /** Who clicked has no label, and who did not has one. */
  FLIPPED_LABELS,
  /** Labels do not come; all of them do once it is over. */
  LABELS_STALL,
  /** Labels do not come, and never do. */
  LABELS_ARE_LOST,
  /** A number of some requests is none. */
  NAN_FEATURES,
  /** Training goes on with a wrong setting. */
  LEARNING_RATE,
  /** Half of all requests are of users and items that nobody knows. */
  NEW_IDS,
  /** Every label comes ten times. */
  REPLAYED_LABELS;

  /** By which the learning rate is wrong. */
  static final double TIMES = 100;

  private static final int EVERY_NAN = 10;
  private static final int EVERY_NEW = 2;
  private static final int REPLAYS = 10;

  /** So many that most are seen often enough to get a row. */
  private static final int NEW = 20_000;

  private static final List<String> FLOODED = List.of("user", "item");

  /** As people read it. */
  String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * What becomes of a request.
   *
   * @param untilMs when it is over
   */
  TimedRequest request(TimedRequest of, String task, long untilMs) {
    return switch (this) {
      case FLIPPED_LABELS -> with(of, flipped(of, task));
      case LABELS_STALL ->
          with(of, of.labels().stream().map(l -> at(l, Math.max(l.atMs(), untilMs))).toList());
      case LABELS_ARE_LOST -> with(of, List.of());
      case REPLAYED_LABELS ->
          with(
              of,
              of.labels().stream()
                  .flatMap(
                      l -> IntStream.range(0, REPLAYS).mapToObj(i -> at(l, l.atMs() + i * 1_000L)))
                  .toList());
      case NONE, NAN_FEATURES, LEARNING_RATE, NEW_IDS -> of;
    };
  }

  private static List<Label> flipped(TimedRequest of, String task) {
    List<Label> labels = new ArrayList<>();
    for (int position : of.exposed()) {
      if (of.labels().stream().noneMatch(label -> label.position() == position)) {
        labels.add(new Label(position, task, 1, of.exposedMs() + 1_000));
      }
    }
    return labels;
  }

  private static Label at(Label label, long atMs) {
    return new Label(label.position(), label.task(), label.value(), atMs);
  }

  private static TimedRequest with(TimedRequest of, List<Label> labels) {
    return new TimedRequest(of.atMs(), of.rows(), of.exposed(), of.exposedMs(), labels, of.truth());
  }

  /** What is logged of the rows of a request. */
  EncodedExamples logged(EncodedExamples rows, InputLayout layout, SplittableRandom random) {
    return switch (this) {
      case NAN_FEATURES -> random.nextInt(EVERY_NAN) == 0 ? nan(rows) : rows;
      case NEW_IDS -> random.nextInt(EVERY_NEW) == 0 ? flooded(rows, layout, random) : rows;
      case NONE, FLIPPED_LABELS, LABELS_STALL, LABELS_ARE_LOST, LEARNING_RATE, REPLAYED_LABELS ->
          rows;
    };
  }

  private static EncodedExamples nan(EncodedExamples rows) {
    EncodedRows candidate = copy(rows.candidate());
    candidate.dense()[0] = Float.NaN;
    return new EncodedExamples(rows.context(), candidate, rows.labels(), rows.labelWeights());
  }

  private static EncodedExamples flooded(
      EncodedExamples rows, InputLayout layout, SplittableRandom random) {
    EncodedExamples to =
        new EncodedExamples(
            copy(rows.context()), copy(rows.candidate()), rows.labels(), rows.labelWeights());
    for (Scope scope : Scope.values()) {
      EncodedRows part = scope == Scope.CONTEXT ? to.context() : to.candidate();
      int width = part.rows() == 0 ? 0 : part.ids().length / part.rows();
      for (IdColumns columns : layout.columns(scope)) {
        if (FLOODED.contains(columns.feature().name())) {
          for (int row = 0; row < part.rows(); row++) {
            part.ids()[row * width + columns.position()] =
                RowKey.ID_LIMIT / 2 + random.nextInt(NEW);
          }
        }
      }
    }
    return to;
  }

  private static EncodedRows copy(EncodedRows rows) {
    return new EncodedRows(
        rows.rows(),
        Arrays.copyOf(rows.ids(), rows.ids().length),
        rows.weights(),
        Arrays.copyOf(rows.dense(), rows.dense().length));
  }
}
