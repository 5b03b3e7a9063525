package dev.wukong.serving.engine;

import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.GraphInputs;
import dev.wukong.bundle.Precision;
import dev.wukong.data.InputLayout;
import dev.wukong.serving.engine.EngineOptions.Gpu;
import java.util.List;

/** Engines as they are on a GPU, on one that is made of the processors; all shapes are recorded. */
public final class RecordedEngines {
  private final FakeGpu gpu = FakeGpu.right();
  private final InputLayout layout;
  private final ShapeBook book;

  /**
   * Engines of graphs in single precision.
   *
   * @param maxRows candidates of the largest batch
   */
  public RecordedEngines(InputLayout layout, int maxRows) {
    this.layout = layout;
    this.book = allChosen(maxRows, layout.schema().hasContext());
  }

  /** All shapes are worth their memory, and runs have taken all. */
  static ShapeBook allChosen(int maxRows, boolean contexts) {
    ShapeBook book = new ShapeBook(maxRows, contexts);
    for (BatchShape shape : book.wanted()) {
      int size = shape.candidates() + shape.contexts();
      book.measured(shape, 2 * size, size);
    }
    book.choose();
    book.chosen().forEach(book::used);
    return book;
  }

  /** Loads a graph, with two lanes. */
  public Engine load(byte[] graph) {
    EngineOptions cpu = EngineOptions.cpu(1, false, Precision.FP32);
    EngineOptions options =
        new EngineOptions(
            cpu.devices(), 1, false, Precision.FP32, new Gpu(cpu.gpu().cuda(), 2, true));
    return BoundEngine.load(
        graph,
        GraphInputs.of(layout, Precision.FP32),
        layout.schema().tasks().size(),
        options,
        List.of(gpu),
        book);
  }

  /** How often something recorded gave answers, beside when it was checked. */
  public int answers() {
    return gpu.replays.get() - gpu.recordings.get();
  }

  /** What is taken of the device and not given back. */
  public int held() {
    return gpu.held.get();
  }
}
