package dev.wukong.serving.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.BatchShape;
import org.junit.jupiter.api.Test;

class ShapeBookTest {
  private static BatchShape shape(int candidates, int contexts) {
    return new BatchShape(candidates, contexts);
  }

  @Test
  void wanted_nothingMeasured_isEverySizeUpToTheLargestBatch() {
    assertThat(new ShapeBook(200, false).wanted())
        .containsExactly(
            shape(200, 0),
            shape(192, 0),
            shape(128, 0),
            shape(96, 0),
            shape(64, 0),
            shape(48, 0),
            shape(32, 0));
  }

  @Test
  void wanted_withContexts_hasThoseOfAFewAndOfManyRequests() {
    assertThat(new ShapeBook(64, true).wanted())
        .containsExactly(shape(64, 4), shape(64, 1), shape(48, 1), shape(32, 1));
  }

  @Test
  void choose_whatCostsNoLessThanALargerOne_isNotKept() {
    ShapeBook book = new ShapeBook(96, false);
    book.measured(shape(96, 0), 900, 100);
    book.measured(shape(64, 0), 900, 99); // One percent: not worth it.
    book.measured(shape(48, 0), 900, 60);
    book.measured(shape(32, 0), 50, 55); // As it is, it is quicker.
    book.choose();
    assertThat(book.chosen()).containsExactly(shape(48, 0), shape(96, 0));
    assertThat(book.fit(shape(10, 0))).contains(shape(48, 0));
    assertThat(book.fit(shape(49, 0))).contains(shape(96, 0));
    assertThat(book.fit(shape(97, 0))).isEmpty();
  }

  @Test
  void fit_moreContextsThanTheCheapest_takesOneThatHasRoom() {
    ShapeBook book = new ShapeBook(64, true);
    book.measured(shape(64, 4), 900, 90);
    book.measured(shape(64, 1), 900, 50);
    book.choose();
    assertThat(book.fit(shape(64, 1))).contains(shape(64, 1));
    assertThat(book.fit(shape(3, 2))).contains(shape(64, 4));
    assertThat(book.fit(shape(3, 5))).isEmpty();
  }

  @Test
  void wanted_afterTheFirstEngine_isWhatRunsTook() {
    ShapeBook book = new ShapeBook(64, false);
    book.wanted().forEach(shape -> book.measured(shape, 900, shape.candidates()));
    book.choose();
    assertThat(book.wanted()).isEmpty();
    book.used(shape(48, 0));
    assertThat(book.wanted()).containsExactly(shape(48, 0));
  }
}
