package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LiveOutagesTest {
  private static final long SECOND = 1_000_000_000;

  private final StringWriter said = new StringWriter();

  private LiveOutages outages(Duration patience) {
    return new LiveOutages(patience, new PrintWriter(said), 5 * SECOND);
  }

  private static StatusRuntimeException gone(String why) {
    return Status.UNAVAILABLE.withDescription(why).asRuntimeException();
  }

  @Test
  void failed_withinPatience_isToldOnce() {
    LiveOutages outages = outages(Duration.ofSeconds(10));
    outages.tell();
    assertThat(said.toString()).isEmpty();
    outages.failed(gone("first"), 6 * SECOND);
    outages.failed(gone("second"), 14 * SECOND);
    outages.tell();
    outages.tell();
    assertThat(said.toString())
        .isEqualToNormalizingNewlines("   2 requests failed; the last: UNAVAILABLE: second\n");
  }

  @Test
  void failed_beyondPatience_throwsIt() {
    LiveOutages outages = outages(Duration.ofSeconds(10));
    outages.answered(8 * SECOND);
    outages.failed(gone("borne"), 17 * SECOND);
    StatusRuntimeException last = gone("not borne");
    assertThatThrownBy(() -> outages.failed(last, 18 * SECOND)).isSameAs(last);
  }

  @Test
  void failed_withoutPatience_throwsTheFirst() {
    LiveOutages outages = outages(Duration.ZERO);
    StatusRuntimeException first = gone("first");
    assertThatThrownBy(() -> outages.failed(first, 5 * SECOND)).isSameAs(first);
  }
}
