package dev.wukong.serving.security;

import java.net.InetAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The connections that are open, in all and by address, with the most of both. Any thread. */
public final class ConnectionCount {
  private final int most;
  private final int mostOfAnAddress;
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final ConcurrentHashMap<InetAddress, Integer> byAddress = new ConcurrentHashMap<>();

  /**
   * Without a connection.
   *
   * @param most in all
   * @param mostOfAnAddress of one
   */
  public ConnectionCount(int most, int mostOfAnAddress) {
    this.most = most;
    this.mostOfAnAddress = mostOfAnAddress;
  }

  /** Whether one more may be; then {@link #left} is told when it is over. */
  boolean take(InetAddress address) {
    if (open.incrementAndGet() > most) {
      open.decrementAndGet();
      refused.incrementAndGet();
      return false;
    }
    int[] now = new int[1];
    byAddress.compute(
        address,
        (_, before) -> {
          int count = before == null ? 0 : before;
          now[0] = count + 1;
          return count < mostOfAnAddress ? Integer.valueOf(count + 1) : before;
        });
    if (now[0] > mostOfAnAddress) {
      open.decrementAndGet();
      refused.incrementAndGet();
      return false;
    }
    return true;
  }

  /** One that was taken is over. */
  void left(InetAddress address) {
    open.decrementAndGet();
    byAddress.computeIfPresent(address, (_, count) -> count > 1 ? count - 1 : null);
  }

  /** How many are open. */
  public int open() {
    return open.get();
  }

  /** How many have been refused. */
  public int refused() {
    return refused.get();
  }
}
