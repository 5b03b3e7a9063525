package dev.wukong.serving.inputs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.testing.TinyModel;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ModelInputsTest {
  private static final InputLayout LAYOUT =
      InputLayout.of(
          TinyModel.schema(),
          Map.of(
              "user", List.of(2), "item", List.of(2, 1), "tags", List.of(2), "price", List.of(1)));

  /** Inputs whose numbers all begin with {@code base}; each row is used by the first candidate. */
  private static ModelInputs inputs(int contexts, int candidates, int distinct, int base) {
    ModelInputs inputs = new ModelInputs(LAYOUT, Element.FLOAT32, _ -> {});
    inputs.begin(contexts, candidates);
    for (int g = 0; g < LAYOUT.groups().size(); g++) {
      int width = LAYOUT.groups().get(g).width();
      var rows = inputs.rows(g, distinct);
      for (long i = 0; i < (long) distinct * width; i++) {
        rows.setAtIndex(ValueLayout.JAVA_FLOAT, width + i, (float) (base + i));
      }
      for (Scope scope : Scope.values()) {
        var slots = inputs.slots(scope, g);
        for (int i = 0; slots.hasRemaining(); i++) {
          slots.put(i % 3 == 2 ? 0 : 1 + i % distinct);
        }
        if (LAYOUT.weighted(scope, g)) {
          var weights = inputs.weights(scope, g);
          while (weights.hasRemaining()) {
            weights.put(base + weights.position());
          }
        }
      }
    }
    for (Scope scope : Scope.values()) {
      var dense = inputs.dense(scope);
      while (dense.hasRemaining()) {
        dense.put(base + dense.position());
      }
    }
    var of = inputs.contextOf();
    while (of.hasRemaining()) {
      of.put(of.position() % contexts);
    }
    return inputs;
  }

  private static Map<String, HostTensor> byName(ModelInputs inputs) {
    Map<String, HostTensor> tensors = new HashMap<>();
    inputs.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
    return tensors;
  }

  private static HostTensor tensor(Map<String, HostTensor> tensors, String name) {
    return Objects.requireNonNull(tensors.get(name));
  }

  /** The floats that a slot of a tensor stands for, for every slot of {@code slots}. */
  private static String resolved(Map<String, HostTensor> tensors, String slots, String rows) {
    ByteBuffer from = tensor(tensors, slots).bytes();
    HostTensor table = tensor(tensors, rows);
    int width = (int) table.shape()[1];
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < from.limit(); i += 4) {
      int slot = from.getInt(i);
      for (int j = 0; j < width; j++) {
        text.append(table.bytes().getFloat(4 * (slot * width + j))).append(' ');
      }
    }
    return text.toString();
  }

  @Test
  void join_severalParts_areOneAfterAnotherAndSlotsPointToTheSameRows() {
    try (ModelInputs one = inputs(1, 3, 4, 1000);
        ModelInputs two = inputs(2, 5, 7, 2000);
        ModelInputs three = inputs(1, 1, 1, 3000);
        ModelInputs joined = new ModelInputs(LAYOUT, Element.FLOAT32, _ -> {})) {
      joined.join(List.of(three)); // What was there before does not show through.
      List<ModelInputs> parts = List.of(one, two, three);

      joined.join(parts);

      assertThat(joined.candidates()).isEqualTo(9);
      Map<String, HostTensor> all = byName(joined);
      for (String name : all.keySet()) {
        if (name.startsWith("slots.")) {
          String rows = "rows." + name.substring(name.lastIndexOf('.') + 1);
          StringBuilder expected = new StringBuilder();
          parts.forEach(part -> expected.append(resolved(byName(part), name, rows)));
          assertThat(resolved(all, name, rows)).as(name).isEqualTo(expected.toString());
        } else if (name.startsWith("weights.") || name.startsWith("dense.")) {
          ByteBuffer expected = ByteBuffer.allocate(tensor(all, name).bytes().limit());
          parts.forEach(part -> expected.put(tensor(byName(part), name).bytes()));
          assertThat(tensor(all, name).bytes()).as(name).isEqualTo(expected.flip());
        }
      }
      int[] of = new int[9];
      joined.contextOf().get(of);
      assertThat(of).containsExactly(0, 0, 0, 1, 2, 1, 2, 1, 3);
      assertThat(tensor(all, "rows.d2").shape()).containsExactly(13, 2);
    }
  }
}
