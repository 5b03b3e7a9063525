package dev.wukong.serving.hosting;

import dev.wukong.data.InputLayout;
import dev.wukong.serving.inputs.HostTensor.ElementType;
import dev.wukong.serving.inputs.ModelInputs;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Inputs of one model that no request uses now. The last one given back is taken first, as its
 * memory is most likely in a cache. Any thread; closed when all are back.
 */
final class InputsPool implements AutoCloseable {
  /** Kept at most: as many parts are rarely in work at once, and more need not stay in memory. */
  private static final int MOST = 128;

  private final InputLayout layout;
  private final ElementType rowType;
  private final ConcurrentLinkedDeque<ModelInputs> idle = new ConcurrentLinkedDeque<>();
  private final AtomicInteger count = new AtomicInteger();

  InputsPool(InputLayout layout, ElementType rowType) {
    this.layout = layout;
    this.rowType = rowType;
  }

  /** Inputs for one user, who recycles them. */
  ModelInputs take() {
    @Nullable ModelInputs inputs = idle.poll();
    if (inputs == null) {
      return new ModelInputs(layout, rowType, this::put);
    }
    count.decrementAndGet();
    return inputs;
  }

  private void put(ModelInputs inputs) {
    if (count.incrementAndGet() > MOST) {
      count.decrementAndGet();
      inputs.close();
    } else {
      idle.push(inputs);
    }
  }

  @Override
  public void close() {
    for (ModelInputs inputs = idle.poll(); inputs != null; inputs = idle.poll()) {
      inputs.close();
    }
  }
}
