package dev.wukong.runtime.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import dev.wukong.runtime.CudaOptions;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator.Priority;
import dev.wukong.runtime.device.BoundGraph.Binding;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BoundGraphTest {
  private static final Device CPU = new Device.Cpu();
  private static final int FLOAT = Float.BYTES;

  private final Accelerator accelerator = Accelerator.of(CPU);
  private final WorkQueue queue = accelerator.queue(Priority.HIGH);

  @AfterEach
  void close() {
    queue.close();
  }

  /** y = x W + counts, x [B, 2], counts [B, 1] of int32. */
  private static byte[] model() {
    GraphBuilder g = new GraphBuilder("sum", DataType.FLOAT);
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(2));
    Tensor counts = g.input("counts", DataType.INT32, Dim.of("B"), Dim.of(1));
    Tensor weight =
        g.constant(new TensorData.Numbers(DataType.FLOAT, Shape.of(2, 1), new double[] {10, 100}));
    g.output("y", g.add(g.matMul(x, weight), g.cast(counts, DataType.FLOAT)));
    return OnnxWriter.write(g.build(), Lowering.CPU, Map.of(), Map.of()).toByteArray();
  }

  private static final GraphOptions OPTIONS = new GraphOptions(1, false, CudaOptions.DEFAULT);

  private BoundGraph load(byte[] model) {
    return BoundGraph.load(model, CPU, queue, OPTIONS);
  }

  private void put(DeviceBuffer to, float... values) {
    MemorySegment host = MemorySegment.ofArray(values);
    MemorySegment native_ = accelerator.allocateHost(host.byteSize());
    native_.copyFrom(host);
    queue.toDevice(to, native_, host.byteSize());
    accelerator.freeHost(native_);
  }

  private float[] get(DeviceBuffer from, int count) {
    MemorySegment host = accelerator.allocateHost((long) count * FLOAT);
    queue.toHost(host, from, host.byteSize());
    queue.await();
    float[] values = host.toArray(ValueLayout.JAVA_FLOAT);
    accelerator.freeHost(host);
    return values;
  }

  @Test
  void run_inputsChangedInTheirPlaces_givesTheNewResults() {
    DeviceBuffer x = accelerator.allocate(6 * FLOAT);
    DeviceBuffer counts = accelerator.allocate(3 * Integer.BYTES);
    DeviceBuffer y = accelerator.allocate(3 * FLOAT);
    try (BoundGraph graph = load(model())) {
      List<Place> in =
          List.of(
              new Place("x", Element.FLOAT32, new long[] {3, 2}, x),
              new Place("counts", Element.INT32, new long[] {3, 1}, counts));
      List<Place> out = List.of(new Place("y", Element.FLOAT32, new long[] {3, 1}, y));
      try (Binding binding = graph.bind(in, out)) {
        put(x, 1, 2, 3, 4, 5, 6);
        binding.run();
        assertThat(get(y, 3)).containsExactly(210, 430, 650);
        put(x, 0, 1, 1, 0, 0, 0);
        binding.run();
        assertThat(get(y, 3)).containsExactly(100, 10, 0);
      }
      // Of another shape, in the same places.
      List<Place> one =
          List.of(
              new Place("x", Element.FLOAT32, new long[] {1, 2}, x),
              new Place("counts", Element.INT32, new long[] {1, 1}, counts));
      try (Binding binding =
          graph.bind(one, List.of(new Place("y", Element.FLOAT32, new long[] {1, 1}, y)))) {
        put(x, 7, 0);
        binding.run();
        assertThat(get(y, 3)).containsExactly(70, 10, 0);
      }
    }
    List.of(x, counts, y).forEach(accelerator::free);
  }

  @Test
  void load_saysWhatItTakesAndGives() {
    try (BoundGraph graph = load(model())) {
      assertThat(graph.inputs())
          .containsExactlyInAnyOrderEntriesOf(
              Map.of("x", Optional.of(Element.FLOAT32), "counts", Optional.of(Element.INT32)));
      assertThat(graph.outputs()).containsExactly("y");
    }
  }

  @Test
  void load_noModel_saysWhatTheLibrarySays() {
    assertThatThrownBy(() -> load(new byte[] {1, 2, 3}))
        .isInstanceOf(GraphException.class)
        .hasMessageStartingWith("CreateSession: ");
  }

  @Test
  void bind_inputOfTheWrongType_failsToRun() {
    DeviceBuffer buffer = accelerator.allocate(64);
    try (BoundGraph graph = load(model());
        Binding binding =
            graph.bind(
                List.of(
                    new Place("x", Element.INT32, new long[] {1, 2}, buffer),
                    new Place("counts", Element.INT32, new long[] {1, 1}, buffer)),
                List.of(new Place("y", Element.FLOAT32, new long[] {1, 1}, buffer)))) {
      assertThatThrownBy(binding::run)
          .isInstanceOf(GraphException.class)
          .hasMessageContaining("Unexpected input data type")
          .matches(e -> e instanceof GraphException graphs && !graphs.passing());
    }
    accelerator.free(buffer);
  }

  @Test
  void place_bufferThatIsTooSmall_isRefused() {
    DeviceBuffer small = new DeviceBuffer(64, 7);
    assertThatThrownBy(() -> new Place("x", Element.FLOAT32, new long[] {1, 2}, small))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("8 bytes of a buffer of 7");
  }

  @Test
  void load_dimensionThatIsFixed_takesNoOther() {
    DeviceBuffer buffer = accelerator.allocate(64);
    GraphOptions two = OPTIONS.fixed(Map.of("B", 2L));
    try (BoundGraph graph = BoundGraph.load(model(), CPU, queue, two)) {
      for (long rows : new long[] {2, 1}) {
        try (Binding binding =
            graph.bind(
                List.of(
                    new Place("x", Element.FLOAT32, new long[] {rows, 2}, buffer),
                    new Place("counts", Element.INT32, new long[] {rows, 1}, buffer)),
                List.of(new Place("y", Element.FLOAT32, new long[] {rows, 1}, buffer)))) {
          if (rows == 2) {
            binding.run();
          } else {
            assertThatThrownBy(binding::run)
                .isInstanceOf(GraphException.class)
                .hasMessageContaining("Got: 1 Expected: 2");
          }
        }
      }
    }
    accelerator.free(buffer);
  }

  @Test
  void profile_ofRuns_isWritten(@TempDir Path folder) throws Exception {
    DeviceBuffer buffer = accelerator.allocate(64);
    Path file;
    try (BoundGraph graph =
        BoundGraph.load(model(), CPU, queue, OPTIONS.profiled(folder.resolve("p")))) {
      try (Binding binding =
          graph.bind(
              List.of(
                  new Place("x", Element.FLOAT32, new long[] {1, 2}, buffer),
                  new Place("counts", Element.INT32, new long[] {1, 1}, buffer)),
              List.of(new Place("y", Element.FLOAT32, new long[] {1, 1}, buffer)))) {
        binding.run();
      }
      file = graph.profile();
    }
    accelerator.free(buffer);
    assertThat(file).hasParentRaw(folder);
    assertThat(Files.readString(file)).contains("MatMul");
  }
}
