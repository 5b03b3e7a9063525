package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.testing.Identity;
import dev.wukong.serving.testing.KafkaBroker;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encrypted connections to a real broker, which takes only those who show its certificate. */
class KafkaTlsTest {
  @TempDir Path folder;

  private static KafkaSettings settings(KafkaBroker broker, Supplier<SSLContext> context) {
    return new KafkaSettings(List.of("127.0.0.1:" + broker.behind(0)), "test", 2, 1, Map.of())
        .encrypted(context);
  }

  @Test
  void connect_byWhatTheBrokerKnows_writesAndReads() throws Exception {
    Identity own = Identity.of(folder, "broker");
    Identity client = Identity.of(folder, "client");
    Identity stranger = Identity.of(folder, "stranger");
    AtomicReference<SSLContext> shown = new AtomicReference<>(own.trustingAs(client));
    try (KafkaBroker broker = KafkaBroker.secured(folder.resolve("broker-data"), own, client)) {
      KafkaSettings settings = settings(broker, shown::get);
      Topics.make(settings);
      try (CommitPublisher publisher = new CommitPublisher(settings, "publisher");
          CommitReader reader = new CommitReader(settings, "reader", "ctr", CommitOrder.NONE)) {
        List<byte[]> pieces = List.of(new byte[] {1, 2, 3});
        assertThat(reader.read(Topic.DELTAS, publisher.pieces(Topic.DELTAS, 1, 1, pieces)))
            .singleElement()
            .isEqualTo(pieces.getFirst());
      }

      // As after certificates were replaced: the same settings show what there is then.
      shown.set(own.trustingAs(stranger));
      assertThatThrownBy(() -> Topics.make(settings))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(SslAuthenticationException.class);
      shown.set(own.trustingAs(client));
      Topics.make(settings);

      KafkaSettings gullible = settings(broker, () -> stranger.trustingAs(client));
      assertThatThrownBy(() -> Topics.make(gullible))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(SslAuthenticationException.class)
          .hasStackTraceContaining("PKIX");
    }
  }

  @Test
  void connect_brokerHasAnotherName_isRefused() throws Exception {
    Identity own = Identity.of(folder, "broker", "dns:elsewhere.example.com");
    Identity client = Identity.of(folder, "client");
    try (KafkaBroker broker = KafkaBroker.secured(folder.resolve("broker-data"), own, client)) {
      KafkaSettings settings = settings(broker, () -> own.trustingAs(client));
      assertThatThrownBy(() -> Topics.make(settings))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(SslAuthenticationException.class)
          .hasStackTraceContaining("127.0.0.1");
    }
  }
}
