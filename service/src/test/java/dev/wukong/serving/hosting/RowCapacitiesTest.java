package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.Group;
import dev.wukong.data.Table;
import dev.wukong.serving.embedding.EmbeddingTier;
import dev.wukong.serving.embedding.RowFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowCapacitiesTest {
  private static Group group(int width, int tables) {
    List<Table> own = new ArrayList<>();
    for (int t = 0; t < tables; t++) {
      own.add(new Table(t, "t" + t, "t" + t, width));
    }
    return new Group("d" + width, width, own);
  }

  private static long exchanged(List<Group> groups, int... capacities) {
    return EmbeddingTier.bytes(RowFormat.FP32, groups, capacities, false);
  }

  /** A table's entries double at some row, which then takes megabytes by itself. */
  @ParameterizedTest
  @CsvSource({"1, 22000000", "1, 90000000", "16, 62914560", "16, 130000000"})
  void of_notAll_isTheMostThatFits(int width, long bytes) {
    List<Group> groups = List.of(group(width, 1));

    int[] capacities = RowCapacities.of(RowFormat.FP32, groups, new long[] {1 << 22}, bytes);

    assertThat(capacities[0]).isBetween(1000, 1 << 22);
    assertThat(exchanged(groups, capacities[0])).isLessThanOrEqualTo(bytes);
    assertThat(exchanged(groups, capacities[0] + 1)).isGreaterThan(bytes);
  }

  @Test
  void of_justEnoughForAll_isAll() {
    List<Group> groups = List.of(group(4, 2), group(1, 1));
    int[] all = {1000, 77};
    long bytes = EmbeddingTier.bytes(RowFormat.FP32, groups, all, true);

    assertThat(RowCapacities.of(RowFormat.FP32, groups, new long[] {1000, 77}, bytes))
        .containsExactly(all);
    assertThat(RowCapacities.of(RowFormat.FP32, groups, new long[] {1000, 77}, bytes - 1)[0])
        .isLessThan(1000);
  }

  @Test
  void of_narrowerFormats_isMoreRows() {
    List<Group> groups = List.of(group(64, 1));
    int before = 0;
    for (RowFormat format : RowFormat.values()) {
      int rows = RowCapacities.of(format, groups, new long[] {10_000_000}, 100_000_000)[0];
      assertThat(rows).isGreaterThan(before);
      before = rows;
    }
  }

  @Test
  void of_hardlyAny_isOneRowEach() {
    List<Group> groups = List.of(group(4, 2), group(1, 1));
    assertThat(RowCapacities.of(RowFormat.FP32, groups, new long[] {1000, 0}, 1))
        .containsExactly(1, 1);
  }

  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void of_anyGroups_isWithinTheBytesOrOneRowEach(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    List<Group> groups = new ArrayList<>();
    long[] rows = new long[random.nextInt(1, 5)];
    for (int g = 0; g < rows.length; g++) {
      groups.add(group(random.nextInt(1, 65), random.nextInt(1, 30)));
      rows[g] = random.nextLong(1L << random.nextInt(1, 34));
    }
    long bytes = random.nextLong(1L << random.nextInt(1, 36)) + 1;

    int[] capacities = RowCapacities.of(RowFormat.FP32, groups, rows, bytes);

    if (Arrays.stream(capacities).anyMatch(c -> c > 1)) {
      boolean all = Arrays.equals(Arrays.stream(capacities).asLongStream().toArray(), rows);
      assertThat(EmbeddingTier.bytes(RowFormat.FP32, groups, capacities, all))
          .isLessThanOrEqualTo(bytes);
    }
    for (int g = 0; g < rows.length; g++) {
      assertThat((long) capacities[g]).isBetween(1L, Math.max(1, rows[g]));
    }
  }
}
