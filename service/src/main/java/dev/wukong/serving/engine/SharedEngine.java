package dev.wukong.serving.engine;

import dev.wukong.serving.inputs.HostTensor;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One of several owners' hold on an engine, which closes with the last of them. Any thread; each
 * owner closes its own, once, when it runs nothing any more.
 */
public final class SharedEngine implements Engine {
  private final Engine engine;
  private final AtomicInteger owners;
  private final AtomicBoolean closed = new AtomicBoolean();

  private SharedEngine(Engine engine, AtomicInteger owners) {
    this.engine = engine;
    this.owners = owners;
  }

  /** The first owner's. */
  public static SharedEngine of(Engine engine) {
    return new SharedEngine(engine, new AtomicInteger(1));
  }

  /** One more owner's; not after this one was closed. */
  public SharedEngine share() {
    if (closed.get()) {
      throw new IllegalStateException("the engine is no longer this owner's to share");
    }
    owners.incrementAndGet();
    return new SharedEngine(engine, owners);
  }

  @Override
  public void run(List<HostTensor> inputs, List<HostTensor> outputs) {
    engine.run(inputs, outputs);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true) && owners.decrementAndGet() == 0) {
      engine.close();
    }
  }
}
