package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import org.junit.jupiter.api.Test;

class DefaultedPositionsTest {
  private final DefaultedPositions positions =
      new DefaultedPositions(OneGroup.layout(1, 100, "user", "item"));

  private final EncodedRows rows =
      new EncodedRows(1, new long[] {RowKey.MISSING, 7}, new float[0], new float[0]);

  @Test
  void add_rowOfAnAbsentValueIsUnread_isNoDefaultedIdButUnread() {
    positions.add(Scope.CANDIDATE, rows, 0, 0, true);

    assertThat(positions.count()).isZero();
    assertThat(positions.unread()).isOne();
    assertThatThrownBy(positions::requireRead).isInstanceOf(StoreException.class);
  }

  @Test
  void add_rowsThatAreNowhere_countIdsOfValuesOnly() {
    positions.add(Scope.CANDIDATE, rows, 0, 0, false);
    positions.add(Scope.CANDIDATE, rows, 0, 1, false);

    assertThat(positions.count()).isOne();
    assertThat(positions.unread()).isZero();
    assertThatCode(positions::requireRead).doesNotThrowAnyException();
  }
}
