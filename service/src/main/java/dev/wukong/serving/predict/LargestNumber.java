package dev.wukong.serving.predict;

import dev.wukong.bundle.Precision;
import dev.wukong.data.DenseColumns;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdFeature;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.data.Transform;
import org.jspecify.annotations.Nullable;

/**
 * The dense value or weight of a candidate and its context that is furthest from 0: what to look at
 * first when a model gives no finite result for it; no other candidate can be the cause. Values
 * with a transform are left out: the logarithm makes all of them small.
 *
 * @param block of the request: {@code context} or {@code candidates}
 * @param what the feature's name and whether it is a weight
 */
record LargestNumber(String block, String what, int row, float value) {
  /** A number of a larger size than this explains a result that is not finite. */
  private static final float ABSURD = 1e6f;

  /** The same where numbers are halves: the squares of larger ones are more than those can be. */
  private static final float ABSURD_HALF = 255;

  /** That of {@code candidate} of {@code query}; null where it has no such values. */
  static @Nullable LargestNumber of(InputLayout layout, Query query, int candidate) {
    LargestNumber context =
        query.contextOf().length == 0
            ? null
            : in(
                layout,
                Scope.CONTEXT,
                "context",
                query.context(),
                query.contextOf()[candidate],
                null);
    return in(layout, Scope.CANDIDATE, "candidates", query.candidates(), candidate, context);
  }

  private static @Nullable LargestNumber in(
      InputLayout layout,
      Scope scope,
      String block,
      EncodedRows rows,
      int row,
      @Nullable LargestNumber before) {
    LargestNumber largest = before;
    int width = layout.denseWidth(scope);
    for (DenseColumns column : layout.dense(scope)) {
      boolean raw = column.feature().transform() == Transform.NONE;
      for (int i = 0; raw && i < column.feature().width(); i++) {
        float value = rows.dense()[row * width + column.start() + i];
        if (largest == null || Math.abs(value) > Math.abs(largest.value)) {
          largest =
              new LargestNumber(
                  block, "feature '%s'".formatted(column.feature().name()), row, value);
        }
      }
    }
    int positions = layout.positions(scope);
    int position = 0;
    for (IdFeature feature : layout.schema().ids(scope)) {
      for (int i = 0; feature.weighted() && i < feature.maxIds(); i++) {
        float value = rows.weights()[row * positions + position + i];
        if (largest == null || value > Math.abs(largest.value)) {
          largest =
              new LargestNumber(
                  block, "a weight of feature '%s'".formatted(feature.name()), row, value);
        }
      }
      position += feature.maxIds();
    }
    return largest;
  }

  /** Whether it is larger than anybody computes with in this precision. */
  boolean absurd(Precision precision) {
    return Math.abs(value)
        > switch (precision) {
          case FP32 -> ABSURD;
          case FP16 -> ABSURD_HALF;
        };
  }
}
