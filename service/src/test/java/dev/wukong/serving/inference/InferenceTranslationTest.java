package dev.wukong.serving.inference;

import static dev.wukong.serving.inference.Tensors.floats;
import static dev.wukong.serving.inference.Tensors.ints;
import static dev.wukong.serving.inference.Tensors.longs;
import static dev.wukong.serving.inference.Tensors.strings;
import static dev.wukong.serving.inference.Tensors.tensors;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.wukong.data.DataException;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.serving.testing.TinyModel;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What tensors say of themselves, before anything is taken for it; and what may be left out. */
class InferenceTranslationTest {
  private static final ByteString NONE = ByteString.EMPTY;
  private static final int MANY = 1 << 27;

  private static PredictRequest translated(Tensors tensors) {
    PredictLimits limits = new PredictLimits(4, 2, 1, Duration.ofSeconds(1), Duration.ofSeconds(1));
    return InferenceTranslation.complete(
            PredictRequest.getDefaultInstance(),
            tensors.request().build(),
            TinyModel.schema(),
            limits)
        .build();
  }

  private static void assertRefused(Tensors tensors, String message) {
    assertThatThrownBy(() -> translated(tensors))
        .isInstanceOf(DataException.class)
        .hasMessage(message);
  }

  private static Tensors without(String... names) {
    Tensors tensors = tensors();
    for (String name : names) {
      tensors.without(name);
    }
    return tensors;
  }

  /** None of these says more than a few bytes, and each would take gigabytes or overflow. */
  @ParameterizedTest
  @CsvSource({
    "candidate.item,  INT64, 0",
    "candidate.item,  INT64, 1",
    "candidate.tags,  BYTES, 0",
    "candidate.tags,  BYTES, 1",
    "candidate.price, FP64,  0",
    "candidate.tags.count, INT32, 0",
  })
  void complete_shapeOfManyRows_isRefusedByItsRows(String name, String datatype, int width) {
    assertRefused(
        new Tensors().put(name, datatype, NONE, MANY, width),
        "candidates.rows is 134217728; 1 to 4 are allowed");
  }

  @Test
  void complete_rowsAboveTheLimit_areRefusedAsPredictDoes() {
    assertThat(
            translated(
                    new Tensors()
                        .put("candidate.picture", "FP32", floats(1, 2, 3, 4, 5, 6, 7, 8), 4, 2))
                .getCandidates()
                .getRows())
        .isEqualTo(4);
    assertRefused(
        new Tensors().put("candidate.picture", "FP32", floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 0), 5, 2),
        "candidates.rows is 5; 1 to 4 are allowed");
    assertRefused(
        tensors().put("context.user", "INT64", longs(1, 2, 3), 3, 1),
        "context.rows is 3; 1 to 2 are allowed");
    assertRefused(
        tensors().put("context.user", "INT64", NONE, MANY, 0),
        "context.rows is 134217728; 1 to 2 are allowed");
  }

  @Test
  void complete_noValuesWhereOneIsNeeded_isRefused() {
    assertRefused(
        tensors().put("candidate.item", "INT64", NONE, 3, 0),
        "inputs: 'candidate.item' has 0 values a row; 1 are needed");
    assertRefused(
        tensors().put("candidate.picture", "FP32", NONE, 3, 0),
        "inputs: 'candidate.picture' has 0 values a row; 2 are needed");
    assertRefused(
        tensors().put("candidate.price.present", "BOOL", NONE, 3, 0),
        "inputs: 'candidate.price.present' has 0 values a row; 1 are needed");
  }

  @Test
  void complete_noValuesOfAFeatureWithSeveral_areNone() {
    PredictRequest left =
        translated(without("candidate.tags", "candidate.tags.count", "candidate.tags.weights"));
    Tensors none =
        without("candidate.tags.count")
            .put("candidate.tags", "BYTES", NONE, 3, 0)
            .put("candidate.tags.weights", "FP32", NONE, 3, 0);
    assertThat(translated(none)).isEqualTo(left);
    assertRefused(
        none.put("candidate.tags.weights", "FP32", floats(1, 2, 3), 3, 1),
        "inputs: 'candidate.tags.weights' has 1 values a row; 0 are needed");
  }

  @Test
  void complete_stringsWithoutTheirLengths_areRefusedByTheirBytes() {
    assertRefused(
        tensors().put("candidate.tags", "BYTES", strings("a", "b"), 3, 1 << 20),
        "inputs: 'candidate.tags' has 10 bytes; 12582912 or more are needed (3145728 strings, each"
            + " after its length in 4 bytes)");
  }

  @Test
  void complete_shapeOfManyDimensions_isRefused() {
    assertRefused(
        tensors().put("candidate.item", "INT64", longs(1, 2, 3), 3, 1, 1, 1, 1, 1, 1, 1, 1),
        "inputs: 'candidate.item' has 9 dimensions; up to 8 are allowed");
  }

  /** What says of each row that there is nothing may stand where the values are left out. */
  @Test
  void complete_companionsThatSayNothingIsThere_changeNothing() {
    assertThat(
            translated(
                without("context.user", "context.age", "candidate.price")
                    .put("context.user.present", "BOOL", bools(0), 1, 1)
                    .put("context.age.present", "BOOL", bools(0), 1, 1)
                    .put("candidate.price.present", "BOOL", bools(0, 0, 0), 3, 1)))
        .isEqualTo(
            translated(
                without(
                    "context.user", "context.age", "candidate.price", "candidate.price.present")));
    assertThat(
            translated(
                without("candidate.tags")
                    .put("candidate.tags.count", "INT32", ints(0, 0, 0), 3, 1)
                    .put("candidate.tags.weights", "FP32", floats(0, 0, 0, 0, 0, 0), 3, 2)))
        .isEqualTo(
            translated(
                without("candidate.tags", "candidate.tags.count", "candidate.tags.weights")));
  }

  @Test
  void complete_companionsOfAContextForEachCandidate_sayHowManyThereAre() {
    Tensors absent =
        new Tensors()
            .put("candidate.picture", "FP32", floats(1, 2, 3, 4), 2, 2)
            .put("context.user.present", "BOOL", bools(0, 0), 2, 1);
    assertThat(translated(absent).getContext().getRows()).isEqualTo(2);
  }

  @Test
  void complete_companionsWithoutTheirValues_nameThem() {
    assertRefused(
        without("context.user").put("context.user.present", "BOOL", bools(1), 1, 1),
        "inputs: 'context.user' is missing, which 'context.user.present' belongs to");
    assertRefused(
        without("context.age").put("context.age.present", "BOOL", bools(1), 1, 1),
        "inputs: 'context.age' is missing, which 'context.age.present' belongs to");
    assertRefused(
        without("candidate.price"),
        "inputs: 'candidate.price' is missing, which 'candidate.price.present' belongs to");
    assertRefused(
        without("candidate.tags"),
        "inputs: 'candidate.tags' is missing, which 'candidate.tags.count' belongs to");
    assertRefused(
        without("candidate.tags", "candidate.tags.count"),
        "inputs: 'candidate.tags' is missing, which 'candidate.tags.weights' belongs to");
  }

  private static ByteString bools(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return ByteString.copyFrom(bytes);
  }
}
