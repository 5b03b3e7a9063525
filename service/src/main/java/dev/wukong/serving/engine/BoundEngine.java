package dev.wukong.serving.engine;

import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.GraphInput;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.GraphException;
import dev.wukong.runtime.device.GraphOptions;
import dev.wukong.serving.inputs.HostTensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Semaphore;

/**
 * An engine on GPUs: inputs are copied to places of the device's own, and the common shapes of
 * batches are recorded and launched as one. Each device has several lanes, so that one batch is
 * copied while another runs.
 */
final class BoundEngine implements Engine {
  private final List<Lane> lanes;
  private final ShapeBook book;
  private final Semaphore free;

  /** Those that nobody uses now; by turns, so that all devices work. Guarded by itself. */
  private final Deque<Lane> idle;

  private BoundEngine(List<Lane> lanes, ShapeBook book) {
    this.lanes = lanes;
    this.book = book;
    this.free = new Semaphore(lanes.size());
    this.idle = new ArrayDeque<>(lanes);
  }

  /**
   * Loads a graph on all devices.
   *
   * @param inputs the inputs the graph must have, exactly
   * @param book which shapes are recorded
   * @throws DeviceException if a device has too little memory left
   * @throws EngineException if the graph cannot be loaded or has other inputs or outputs
   */
  static BoundEngine load(
      byte[] graph,
      List<GraphInput> inputs,
      int tasks,
      EngineOptions options,
      List<Accelerator> accelerators,
      ShapeBook book) {
    GraphOptions settings =
        new GraphOptions(options.threads(), options.spin(), options.gpu().cuda());
    List<Lane> lanes = new ArrayList<>();
    boolean loaded = false;
    try {
      // The first of each device, then the second: the deque then takes devices by turns.
      for (int stream = 0; stream < options.gpu().streams(); stream++) {
        for (Accelerator accelerator : accelerators) {
          lanes.add(new Lane(accelerator, graph, inputs, tasks, settings));
        }
      }
      lanes.forEach(lane -> lane.reserve(book.most()));
      if (options.gpu().recordings()) {
        record(lanes, book);
      }
      loaded = true;
      return new BoundEngine(lanes, book);
    } catch (GraphException e) {
      throw new EngineException("ONNX Runtime cannot load the graph: " + e.getMessage(), e);
    } finally {
      if (!loaded) {
        lanes.forEach(Lane::close);
      }
    }
  }

  private static void record(List<Lane> lanes, ShapeBook book) {
    if (!book.measured()) {
      Lane first = lanes.getFirst();
      for (BatchShape shape : book.wanted()) {
        boolean _ = first.record(shape, book);
      }
      book.choose();
      first.recorded().stream()
          .filter(shape -> !book.chosen().contains(shape))
          .forEach(first::forget);
      for (Lane lane : lanes.subList(1, lanes.size())) {
        record(lane, book.chosen(), book);
      }
    } else {
      lanes.forEach(lane -> record(lane, book.wanted(), book));
    }
  }

  private static void record(Lane lane, List<BatchShape> shapes, ShapeBook book) {
    // The largest first: a larger one needs larger places, which end what was recorded before.
    shapes.stream()
        .sorted(ShapeBook.LARGEST_FIRST)
        .forEach(
            shape -> {
              boolean _ = lane.record(shape, book);
            });
  }

  @Override
  public void run(List<HostTensor> inputs, List<HostTensor> outputs) {
    free.acquireUninterruptibly();
    Lane lane;
    synchronized (idle) {
      lane = idle.removeFirst();
    }
    try {
      lane.run(inputs, outputs, book);
    } catch (GraphException e) {
      throw new EngineException("ONNX Runtime failed to run the graph: " + e.getMessage(), e);
    } finally {
      synchronized (idle) {
        idle.addLast(lane);
      }
      free.release();
    }
  }

  @Override
  public void close() {
    lanes.forEach(Lane::close);
  }
}
