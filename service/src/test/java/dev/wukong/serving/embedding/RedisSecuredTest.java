package dev.wukong.serving.embedding;

import static dev.wukong.serving.embedding.RedisRows.MANY;
import static dev.wukong.serving.embedding.RedisRows.VIEW;
import static dev.wukong.serving.embedding.RedisRows.applied;
import static dev.wukong.serving.embedding.RedisRows.at;
import static dev.wukong.serving.embedding.RedisRows.commit;
import static dev.wukong.serving.embedding.RedisRows.load;
import static dev.wukong.serving.embedding.RedisRows.readMany;
import static dev.wukong.serving.embedding.RedisRows.rowsOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.testing.Identity;
import dev.wukong.serving.testing.RedisAccess;
import dev.wukong.serving.testing.RedisCluster;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Redis cluster that speaks to nobody without a certificate of its own, a user and a password.
 */
class RedisSecuredTest {
  private static final String PREFIX = "secured";
  private static final String USER = "ranking";
  private static final String PASSWORD = "s3cret-word";

  /** What the README says that the user needs. */
  private static final String NEEDED =
      "+mget +get +set +exists +del +unlink +scan +eval +evalsha +wait +pexpire +time +readonly"
          + " +cluster +@set +@sortedset +@hash";

  private static @Nullable RedisCluster cluster;
  private static @Nullable Identity nodes;
  private static @Nullable Identity client;

  @BeforeAll
  static void startCluster(@TempDir Path folder) throws Exception {
    Identity shown = Identity.of(folder, "nodes");
    Identity own = Identity.of(folder, "client");
    nodes = shown;
    client = own;
    cluster =
        RedisCluster.start(
            folder,
            Duration.ofMillis(1500),
            RedisAccess.secured(
                shown,
                own,
                folder,
                "word-of-who-may-do-all",
                List.of("%s on >%s ~%s:* -@all %s".formatted(USER, PASSWORD, PREFIX, NEEDED))));
  }

  @AfterAll
  static void endCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static List<String> addresses() {
    return Objects.requireNonNull(cluster).addresses();
  }

  private static Identity nodes() {
    return Objects.requireNonNull(nodes);
  }

  private static Identity client() {
    return Objects.requireNonNull(client);
  }

  private static RedisSettings settings(String prefix, String password, Optional<RedisTls> tls) {
    return new RedisSettings(addresses(), prefix, USER, password, tls, Duration.ofSeconds(2));
  }

  private static RedisTls trusting(Identity identity) {
    return new RedisTls(Optional.of(client().shown()), Optional.of(identity.trusted()));
  }

  @Test
  void open_withUserPasswordAndCertificate_mayDoAllThatAStoreDoes() {
    try (RedisRowStore store =
        RedisRowStore.open(settings(PREFIX, PASSWORD, Optional.of(trusting(nodes()))))) {
      load(store);
      assertThat(store.imported(VIEW)).contains("digest");
      store.apply(commit(1, MANY, rowsOf(MANY, 1)));
      store.apply(commit(2, new long[] {}, new float[] {}, 1));
      try (RowReader reader = store.reader(at(1))) {
        assertThat(readMany(reader, 1)).isEqualTo(MANY.length);
      }
      assertThat(store.dropUnused(VIEW)).isTrue();
      assertThat(store.stored()).doesNotContain(VIEW);

      RowMirror mirror = new RowMirror(store, VIEW.model());
      mirror.begin(5, List.of());
      assertThat(mirror.open()).isTrue();
      assertThat(mirror.sequence()).isEqualTo(5);
      assertThat(mirror.apply(VIEW.bundle(), List.of(), List.of()).replicated()).isTrue();
      store.mirror(VIEW.model()).forget();
      assertThat(mirror.open()).isFalse();
    }
  }

  @Test
  void open_passwordIsWrong_isRefused() {
    assertThatThrownBy(
            () -> RedisRowStore.open(settings(PREFIX, "another", Optional.of(trusting(nodes())))))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("WRONGPASS");
  }

  @Test
  void open_nodesAreNotTrusted_isRefused(@TempDir Path folder) throws Exception {
    Identity stranger = Identity.of(folder, "stranger");
    assertThatThrownBy(
            () -> RedisRowStore.open(settings(PREFIX, PASSWORD, Optional.of(trusting(stranger)))))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("cannot reach a Redis cluster at ");
  }

  @Test
  void open_withoutACertificateOrInPlainText_isRefused() {
    RedisTls shy = new RedisTls(Optional.empty(), Optional.of(nodes().trusted()));
    for (Optional<RedisTls> tls : List.of(Optional.of(shy), Optional.<RedisTls>empty())) {
      assertThatThrownBy(() -> RedisRowStore.open(settings(PREFIX, PASSWORD, tls)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("cannot reach a Redis cluster at ");
    }
  }

  @Test
  void apply_prefixIsAnothers_isRefused() {
    try (RedisRowStore store =
        RedisRowStore.open(settings("others", PASSWORD, Optional.of(trusting(nodes()))))) {
      assertThatThrownBy(() -> store.apply(commit(1, MANY, rowsOf(MANY, 1))))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("NOPERM");
    }
  }

  /** Who the nodes are is asked for with the same rights. */
  @Test
  void apply_masterIsKilled_goesToItsReplica() {
    RedisCluster killed = Objects.requireNonNull(cluster);
    int master = killed.masters().getFirst();
    try (RedisRowStore store =
        RedisRowStore.open(settings(PREFIX, PASSWORD, Optional.of(trusting(nodes()))))) {
      store.apply(commit(1, MANY, rowsOf(MANY, 1)));
      killed.kill(master);
      RedisCluster.await(
          "rows are written", () -> applied(store, commit(2, MANY, rowsOf(MANY, 2))));
      store.drop(VIEW);
    } finally {
      killed.restart(master);
      killed.awaitWhole();
    }
  }

  /** By the properties alone, as the README says. */
  @Test
  void service_withUserPasswordAndSslBundle_servesFromTheCluster(@TempDir Path folder)
      throws Exception {
    Path root = folder.resolve("bundles");
    new TinyModel(1).write(root, "tiny", 1);
    try (Served served =
        Served.serving(
            root,
            "tiny",
            1,
            "wukong.rows.resident=1KB",
            "wukong.rows.store=redis",
            "wukong.rows.redis.addresses=" + String.join(",", addresses()),
            "wukong.rows.redis.prefix=" + PREFIX,
            "wukong.rows.redis.user=" + USER,
            "wukong.rows.redis.password=" + PASSWORD,
            "wukong.rows.redis.ssl-bundle=cluster",
            "wukong.rows.redis.timeout=2s",
            "spring.ssl.bundle.pem.cluster.truststore.certificate=" + nodes().certificate(),
            "spring.ssl.bundle.pem.cluster.keystore.certificate=" + client().certificate(),
            "spring.ssl.bundle.pem.cluster.keystore.private-key=" + client().key())) {
      RowsView view = new RowsView("tiny", 1, 0);
      RowStore store = served.bean(RowStore.class);
      assertThat(store.imported(view)).isPresent();
      assertThat(store.stored()).contains(view);
    }
  }
}
