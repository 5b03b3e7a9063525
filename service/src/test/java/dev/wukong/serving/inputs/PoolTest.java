package dev.wukong.serving.inputs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PoolTest {
  private final AtomicInteger made = new AtomicInteger();
  private final List<Integer> dropped = new ArrayList<>();

  private Pool<Integer> pool(int most) {
    return new Pool<>(most, made::incrementAndGet, dropped::add);
  }

  @Test
  void take_afterGive_isTheLastOneGiven() {
    Pool<Integer> pool = pool(4);
    int first = pool.take();
    int second = pool.take();
    pool.give(first);
    pool.give(second);
    assertThat(pool.take()).isEqualTo(second);
    assertThat(pool.take()).isEqualTo(first);
    assertThat(pool.take()).isEqualTo(3);
    assertThat(dropped).isEmpty();
  }

  @Test
  void give_moreThanKept_dropsWhatIsBeyond() {
    Pool<Integer> pool = pool(2);
    List<Integer> taken = List.of(pool.take(), pool.take(), pool.take());
    taken.forEach(pool::give);
    assertThat(dropped).containsExactly(3);
    assertThat(pool.take()).isEqualTo(2);
    pool.give(2);
    assertThat(dropped).containsExactly(3);
  }

  @Test
  void close_someLent_dropsTheIdleAndTheLentOnceTheyAreBack() {
    Pool<Integer> pool = pool(4);
    int lent = pool.take();
    pool.give(pool.take());
    pool.close();
    assertThat(dropped).containsExactly(2);
    pool.give(lent);
    assertThat(dropped).containsExactly(2, 1);
    // Whoever comes late is served, and leaves nothing behind.
    pool.give(pool.take());
    assertThat(dropped).containsExactly(2, 1, 3);
    pool.close();
    assertThat(dropped).hasSize(3);
  }

  @Test
  void pool_ofNothing_isRefused() {
    assertThatThrownBy(() -> pool(0)).hasMessage("a pool of 0 things; 1 or more");
  }

  @Test
  void take_manyThreads_neverLendsOneToTwo() throws Exception {
    int threads = 4;
    Pool<Integer> pool = new Pool<>(2, made::incrementAndGet);
    Set<Integer> lent = ConcurrentHashMap.newKeySet();
    Callable<Integer> user =
        () -> {
          int clashes = 0;
          for (int i = 0; i < 20_000; i++) {
            Integer thing = pool.take();
            clashes += lent.add(thing) ? 0 : 1;
            lent.remove(thing);
            pool.give(thing);
          }
          return clashes;
        };
    try (ExecutorService users = Executors.newFixedThreadPool(threads)) {
      for (Future<Integer> clashes : users.invokeAll(List.of(user, user, user, user))) {
        assertThat(clashes.get()).isZero();
      }
    }
    assertThat(lent).isEmpty();
    assertThat(made.get()).isPositive();
  }
}
