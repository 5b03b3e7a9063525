package dev.wukong.serving.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.GraphInput;
import dev.wukong.bundle.GraphInputs;
import dev.wukong.bundle.Precision;
import dev.wukong.data.InputLayout;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.engine.EngineOptions.Gpu;
import dev.wukong.serving.inputs.HostTensor;
import dev.wukong.serving.testing.TinyGraph;
import dev.wukong.serving.testing.TinyModel;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class BoundEngineTest {
  private static final int MAX_ROWS = 100;
  private static final InputLayout LAYOUT =
      InputLayout.of(
          TinyModel.schema(),
          Map.of(
              "user", List.of(2), "item", List.of(2, 1), "tags", List.of(2), "price", List.of(1)));
  private static final int TASKS = LAYOUT.schema().tasks().size();
  private static final List<GraphInput> INPUTS = GraphInputs.of(LAYOUT, Precision.FP32);
  private static final byte[] GRAPH = TinyGraph.of(LAYOUT, new float[] {1, -0.5f});
  private static final EngineOptions OPTIONS = EngineOptions.cpu(1, false, Precision.FP32);

  /** Some candidates, contexts and distinct rows of everything, made up. */
  private static List<HostTensor> batch(BatchShape shape, int rows, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<HostTensor> tensors = new ArrayList<>();
    for (GraphInput input : INPUTS) {
      int length =
          input.axis() == GraphInput.Axis.ROWS
              ? Math.min(rows, input.length(shape))
              : input.length(shape);
      int values = length * Math.max(1, input.columns());
      ByteBuffer bytes = direct(values * input.type().bytes());
      int bound =
          GraphInputs.named(
              input, INPUTS, shape.contexts(), other -> Math.min(rows, other.length(shape)));
      input.fill(MemorySegment.ofBuffer(bytes), length, bound, random);
      tensors.add(new HostTensor(input.name(), input.type(), bytes, input.shape(length)));
    }
    return tensors;
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  private static float[] run(Engine engine, List<HostTensor> in, int candidates) {
    float[] results = new float[2 * candidates * TASKS];
    List<HostTensor> out = new ArrayList<>();
    for (String name : GraphInputs.OUTPUTS) {
      out.add(
          new HostTensor(
              name,
              Element.FLOAT32,
              direct(candidates * TASKS * Float.BYTES),
              new long[] {candidates, TASKS}));
    }
    engine.run(in, out);
    out.get(0).bytes().asFloatBuffer().get(results, 0, candidates * TASKS);
    out.get(1).bytes().asFloatBuffer().get(results, candidates * TASKS, candidates * TASKS);
    return results;
  }

  private static BoundEngine engine(ShapeBook book, int streams, Accelerator... gpus) {
    EngineOptions options =
        new EngineOptions(
            OPTIONS.devices(),
            1,
            false,
            Precision.FP32,
            new Gpu(OPTIONS.gpu().cuda(), streams, true));
    return BoundEngine.load(GRAPH, INPUTS, TASKS, options, List.of(gpus), book);
  }

  private static ShapeBook allChosen() {
    return RecordedEngines.allChosen(MAX_ROWS, true);
  }

  private static float[] expected(List<HostTensor> in, int candidates) {
    try (OnnxEngine plain = OnnxEngine.load(GRAPH, INPUTS, OPTIONS)) {
      return run(plain, in, candidates);
    }
  }

  @Test
  void run_recordedShapes_givesWhatAPlainSessionGives() {
    FakeGpu gpu = FakeGpu.right();
    try (BoundEngine engine = engine(allChosen(), 1, gpu);
        OnnxEngine plain = OnnxEngine.load(GRAPH, INPUTS, OPTIONS)) {
      int before = gpu.replays.get();
      int batches = 0;
      // Growing and shrinking: what a large batch leaves on the device must not show in a small
      // one.
      for (int candidates : new int[] {100, 1, 33, 64, 32, 99, 7, 100, 48}) {
        for (int contexts : new int[] {1, 4, 2, 1}) {
          BatchShape shape = new BatchShape(candidates, contexts);
          List<HostTensor> in = batch(shape, 1 + 3 * candidates, candidates * 31L + contexts);
          assertThat(run(engine, in, candidates)).isEqualTo(run(plain, in, candidates));
          batches++;
        }
      }
      assertThat(gpu.replays.get() - before).isGreaterThan(batches / 2);
    }
    assertThat(gpu.held).hasValue(0);
  }

  /** One request's candidates with a context each do not end the recordings of all others. */
  @Test
  void run_moreContextsThanAnyShapeHolds_keepsWhatIsRecorded() {
    FakeGpu gpu = FakeGpu.right();
    try (BoundEngine engine = engine(allChosen(), 1, gpu)) {
      int before = gpu.replays.get();
      List<HostTensor> many = batch(new BatchShape(MAX_ROWS, MAX_ROWS), 1000, 8);
      assertThat(run(engine, many, MAX_ROWS)).isEqualTo(expected(many, MAX_ROWS));
      assertThat(gpu.replays).hasValue(before);
      List<HostTensor> small = batch(new BatchShape(10, 1), 20, 9);
      assertThat(run(engine, small, 10)).isEqualTo(expected(small, 10));
      assertThat(gpu.replays).hasValue(before + 1);
    }
    assertThat(gpu.held).hasValue(0);
  }

  @Test
  void run_moreThanAnyShapeHolds_runsAsItIs() {
    FakeGpu gpu = FakeGpu.right();
    try (BoundEngine engine = engine(allChosen(), 1, gpu)) {
      int before = gpu.replays.get();
      BatchShape large = new BatchShape(3 * MAX_ROWS, 90);
      List<HostTensor> in = batch(large, 2000, 5);
      assertThat(run(engine, in, large.candidates())).isEqualTo(expected(in, large.candidates()));
      assertThat(gpu.replays).hasValue(before);
      // Its larger places ended what was recorded; the next batch is right all the same.
      List<HostTensor> small = batch(new BatchShape(10, 1), 20, 6);
      assertThat(run(engine, small, 10)).isEqualTo(expected(small, 10));
    }
    assertThat(gpu.held).hasValue(0);
  }

  @Test
  void load_recordingsThatGiveSomethingElse_areNotUsed() {
    FakeGpu gpu = FakeGpu.forgetful();
    try (BoundEngine engine = engine(allChosen(), 1, gpu)) {
      assertThat(gpu.recordings.get()).isPositive();
      int before = gpu.replays.get();
      List<HostTensor> in = batch(new BatchShape(20, 1), 30, 7);
      assertThat(run(engine, in, 20)).isEqualTo(expected(in, 20));
      assertThat(gpu.replays).hasValue(before);
    }
    assertThat(gpu.held).hasValue(0);
  }

  @Test
  void load_nothingMeasured_measuresAndKeepsWhatIsCheaper() {
    FakeGpu gpu = FakeGpu.right();
    ShapeBook book = new ShapeBook(MAX_ROWS, true);
    try (BoundEngine _ = engine(book, 2, gpu)) {
      assertThat(book.measured()).isTrue();
    }
    assertThat(gpu.held).hasValue(0);
  }

  @Test
  void run_manyThreadsOnTwoDevices_eachGetsItsOwn() throws Exception {
    FakeGpu first = FakeGpu.right();
    FakeGpu second = FakeGpu.right();
    try (BoundEngine engine = engine(allChosen(), 2, first, second);
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Callable<Boolean>> runs = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        int candidates = 1 + i * 37 % MAX_ROWS;
        List<HostTensor> in = batch(new BatchShape(candidates, 1 + i % 4), 150, i);
        float[] right = expected(in, candidates);
        runs.add(
            () -> {
              assertThat(run(engine, in, candidates)).isEqualTo(right);
              return true;
            });
      }
      for (Future<Boolean> run : threads.invokeAll(runs)) {
        assertThat(run.get()).isTrue();
      }
    }
    assertThat(first.held).hasValue(0);
    assertThat(second.held).hasValue(0);
    assertThat(first.replays.get()).isPositive();
    assertThat(second.replays.get()).isPositive();
  }

  @Test
  void load_tooLittleMemory_saysSoAndHoldsNothing() {
    FakeGpu gpu = FakeGpu.small(10_000);
    assertThatThrownBy(() -> engine(allChosen(), 2, gpu)).isInstanceOf(DeviceException.class);
    assertThat(gpu.held).hasValue(0);
  }

  @Test
  void load_graphOfOtherInputs_saysWhatDiffers() {
    FakeGpu gpu = FakeGpu.right();
    List<GraphInput> fewer = INPUTS.subList(1, INPUTS.size());
    assertThatThrownBy(
            () ->
                BoundEngine.load(
                    GRAPH, fewer, TASKS, OPTIONS, List.of(gpu), new ShapeBook(8, true)))
        .isInstanceOf(EngineException.class)
        .hasMessageStartingWith("the graph has the inputs [");
    assertThat(gpu.held).hasValue(0);
  }
}
