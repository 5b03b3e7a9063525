package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Provenance;
import dev.wukong.bundle.TensorSpec;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Group;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.graph.Graph;
import dev.wukong.objective.StepGraph;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.OnnxRuntime;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Training goes on from a bundle's files with ONNX Runtime and nothing of ours but the names: what
 * comes out is what the session that wrote the bundle would have made.
 */
class TrainOnnxTest {
  private static final int MINIBATCHES = 3;

  @TempDir Path folder;

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          type: wukong, head: {hidden: [16]}; clip_norm: 0.1
          type: wukong, head: {hidden: [16]}; rows: {mode: whole_table, optimizer: adam, learning_rate: 0.02, l2: 0.01}
          type: wukong, embedding: {width: 8, widths: {seen: 4}, counts: {item: 2}, deviation: 0.3}; clip_norm: 0.1
          type: afn, log_neurons: 5, afn: {hidden: [7]}, deep: {hidden: [6]}; dense: {epsilon: 0.001}
          type: autoint, layers: 2, attention: 6, heads: 2, linear: true, deep: {hidden: [7]}; clip_norm: 0.1
          type: dcnv2, layers: 2, deep: {hidden: [7]}; clip_norm: 0.1
          type: dlrm, top: {hidden: [7]}; clip_norm: 0.1
          type: finalmlp, first: {hidden: [6]}, second: {hidden: [4]}, selection: {mlp: {hidden: [7]}, first: [user], second: [item]}, heads: 2; clip_norm: 0.1
          type: masknet, blocks: [6, 5], deep: {hidden: [7]}; clip_norm: 0.1
          type: xdeepfm, cin: [3, 2], deep: {hidden: [7], batch_norm: true}; dense: {epsilon: 0.001}
          """)
  void trainOnnx_fromTheFilesOfABundle_goesOnTraining(String ranker, String training)
      throws Exception {
    int batch = GraphStepperTest.BATCH;
    String embedding =
        ranker.contains("embedding:") ? "" : ", embedding: {width: 4, deviation: 0.3}";
    RankerConfig model = RankerConfig.read(TrainSessionTest.yaml("{" + ranker + embedding + "}"));
    try (TrainSession session = GraphStepperTest.session(model, training)) {
      session.steps(GraphStepperTest.examples(1), 1);
      Path written = export(session, model);
      EncodedExamples next = GraphStepperTest.examples(2).first(MINIBATCHES * batch);
      try (Bundle bundle = Bundle.open(written)) {
        Map<String, float[]> given = new HashMap<>();
        Graph step =
            StepGraph.minibatch(session.model(), session.layout(), session.config().rule());
        assertThat(
                ExportCheck.dense(step).stream()
                    .collect(Collectors.toMap(TensorSpec::name, TensorSpec::shape)))
            .as("tensors that were expected before training")
            .isEqualTo(shapes(bundle));
        bundle.dense().forEach((name, tensor) -> given.put(name, tensor.data()));
        Map<String, Map<Long, Integer>> slots = rows(bundle, given);
        examples(bundle.layout(), next, slots, given);
        float[] rates = new float[MINIBATCHES];
        Arrays.fill(rates, (float) session.config().dense().learningRate());
        given.put("learning_rate", rates);
        rates = new float[MINIBATCHES];
        Arrays.fill(rates, (float) session.config().rows().optimizer().learningRate());
        given.put("learning_rate.rows", rates);
        Map<String, float[]> made = run(bundle.graph("train.onnx"), given);

        List<TrainSession.Step> steps = session.steps(next, 1);
        float[] losses = values(made, "loss");
        for (int k = 0; k < MINIBATCHES; k++) {
          assertThat(losses[k]).isCloseTo(steps.get(k).loss(), within(1e-5f));
        }
        // Three steps' gradients summed in other orders in float.
        session
            .snapshot()
            .forEach(
                (name, data) -> {
                  float[] got = values(made, "new/" + name);
                  for (int i = 0; i < got.length; i++) {
                    assertThat((double) got[i]).as(name).isCloseTo(data.at(i), within(1e-5));
                  }
                });
        session
            .rows()
            .forEach(
                (table, id, row, _) -> {
                  Table of = bundle.layout().tables().get(table);
                  Map<Long, Integer> known = Objects.requireNonNull(slots.get(group(bundle, of)));
                  int slot = Objects.requireNonNull(known.get(RowKey.of(table, id)));
                  float[] all = values(made, "new/rows." + group(bundle, of));
                  assertThat(Arrays.copyOfRange(all, slot * row.length, (slot + 1) * row.length))
                      .as(of.name() + " " + id)
                      .containsExactly(row, within(1e-5f));
                });
        assertThat(values(made, "new/step")).containsExactly((float) (session.steps() + 1));
      }
    }
  }

  private static Map<String, List<Long>> shapes(Bundle bundle) throws Exception {
    Map<String, List<Long>> shapes = new HashMap<>();
    bundle.dense().forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    return shapes;
  }

  private Path export(TrainSession session, RankerConfig model) throws Exception {
    EncodedExamples golden = GraphStepperTest.examples(9).first(4);
    BundleExport.Comparison comparison = new BundleExport.Comparison("test", List.of(golden), 1);
    return BundleExport.write(
            folder,
            session,
            model,
            new FeatureEncoder(session.layout().schema(), Map.of()),
            golden,
            comparison,
            new BundleExport.About(
                "steps",
                model.type(),
                JsonNodeFactory.instance.objectNode(),
                JsonNodeFactory.instance.objectNode(),
                JsonNodeFactory.instance.objectNode(),
                new Provenance(1, List.of(), 1, "test", Map.of()),
                Map.of(),
                Instant.EPOCH))
        .folder();
  }

  /** All rows and their state, by group; returns each row's slot. */
  private static Map<String, Map<Long, Integer>> rows(Bundle bundle, Map<String, float[]> given) {
    Map<String, Map<Long, Integer>> slots = new HashMap<>();
    for (Group group : bundle.layout().groups()) {
      Map<Long, Integer> own = new LinkedHashMap<>();
      List<float[]> rows = new ArrayList<>(List.of(new float[group.width()]));
      List<float[]> states = new ArrayList<>();
      for (Table table : group.tables()) {
        bundle.forEachRow(
            table,
            (id, row) -> {
              own.put(RowKey.of(table.ordinal(), id), rows.size());
              rows.add(floats(row));
            });
        bundle.forEachState(
            table,
            (ids, values) -> {
              FloatBuffer all = Objects.requireNonNull(values.get("state"));
              int width = all.remaining() / ids.remaining();
              for (int i = 0; i < ids.remaining(); i++) {
                states.add(floats(all.slice(all.position() + i * width, width)));
              }
            });
      }
      states.addFirst(new float[states.getFirst().length]);
      given.put("rows." + group.name(), join(rows, 0, group.width()));
      int width = states.getFirst().length;
      int slot = Math.min(width, group.width());
      for (int i = 0; i < width / slot; i++) {
        String name = "state" + i + "/rows." + group.name();
        given.put(name, join(states, i * slot, slot));
      }
      slots.put(group.name(), own);
    }
    return slots;
  }

  private static float[] floats(FloatBuffer buffer) {
    float[] values = new float[buffer.remaining()];
    buffer.get(buffer.position(), values);
    return values;
  }

  private static float[] join(List<float[]> parts, int from, int count) {
    float[] all = new float[parts.size() * count];
    for (int i = 0; i < parts.size(); i++) {
      System.arraycopy(parts.get(i), from, all, i * count, count);
    }
    return all;
  }

  private static void examples(
      InputLayout layout,
      EncodedExamples examples,
      Map<String, Map<Long, Integer>> slots,
      Map<String, float[]> given) {
    given.put("labels", Arrays.copyOf(examples.labels(), examples.rows() * 2));
    given.put("label_weights", Arrays.copyOf(examples.labelWeights(), examples.rows() * 2));
    for (Scope scope : Scope.values()) {
      EncodedRows encoded = scope == Scope.CONTEXT ? examples.context() : examples.candidate();
      String suffix = scope.name().toLowerCase(Locale.ROOT);
      given.put(
          "dense." + suffix,
          Arrays.copyOf(encoded.dense(), examples.rows() * layout.denseWidth(scope)));
      for (int group = 0; group < layout.groups().size(); group++) {
        String name = layout.groups().get(group).name();
        int width = layout.slotWidth(scope, group);
        float[] own = new float[examples.rows() * width];
        float[] weights = new float[own.length];
        Map<Long, Integer> known = Objects.requireNonNull(slots.get(name));
        for (IdColumns columns : layout.columns(scope, group)) {
          for (int i = 0; i < examples.rows() * columns.width(); i++) {
            int row = i / columns.width();
            int at = i % columns.width();
            int from = row * layout.positions(scope) + columns.position() + at;
            int to = row * width + columns.start() + at;
            long id = encoded.ids()[from];
            // An id that training never met would be a new row; these ids were all met.
            own[to] =
                id == RowKey.NONE
                    ? 0
                    : Objects.requireNonNull(known.get(RowKey.of(columns.table().ordinal(), id)));
            weights[to] = encoded.weights().length == 0 ? 1 : encoded.weights()[from];
          }
        }
        given.put("slots." + suffix + "." + name, own);
        given.put("weights." + suffix + "." + name, weights);
      }
    }
  }

  /** Runs {@code model}: shapes follow from its own, the minibatches and the number of values. */
  private static Map<String, float[]> run(byte[] model, Map<String, float[]> given)
      throws Exception {
    OrtEnvironment environment = OnnxRuntime.environment();
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession session = environment.createSession(model)) {
      for (NodeInfo input : session.getInputInfo().values()) {
        TensorInfo info = (TensorInfo) input.getInfo();
        float[] values = values(given, input.getName());
        inputs.put(input.getName(), tensor(info, values));
      }
      Map<String, float[]> made = new HashMap<>();
      try (OrtSession.Result result = session.run(inputs)) {
        for (Map.Entry<String, ai.onnxruntime.OnnxValue> e : result) {
          OnnxTensor tensor = (OnnxTensor) e.getValue();
          made.put(
              e.getKey(),
              tensor.getInfo().type == OnnxJavaType.INT64
                  ? new float[] {tensor.getLongBuffer().get(0)}
                  : floats(tensor.getFloatBuffer()));
        }
      }
      return made;
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private static OnnxTensor tensor(TensorInfo info, float[] values) throws Exception {
    long[] shape = info.getShape();
    String[] names = info.getDimensionNames();
    int open = -1;
    long known = 1;
    for (int i = 0; i < shape.length; i++) {
      if (names[i].equals("K")) {
        shape[i] = MINIBATCHES;
      }
      if (shape[i] < 0) {
        open = i;
      } else {
        known *= shape[i];
      }
    }
    if (open >= 0) {
      shape[open] = values.length / known;
    }
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(values.length * info.type.size).order(ByteOrder.nativeOrder());
    for (float value : values) {
      switch (info.type) {
        case INT64 -> bytes.putLong((long) value);
        case INT32 -> bytes.putInt((int) value);
        default -> bytes.putFloat(value);
      }
    }
    return OnnxTensor.createTensor(OnnxRuntime.environment(), bytes.flip(), shape, info.type);
  }

  private static float[] values(Map<String, float[]> all, String name) {
    return Objects.requireNonNull(all.get(name), () -> name + " of " + all.keySet());
  }

  private static String group(Bundle bundle, Table table) {
    return bundle.layout().groups().stream()
        .filter(g -> g.tables().contains(table))
        .findFirst()
        .orElseThrow()
        .name();
  }
}
