package dev.wukong.training;

import dev.wukong.graph.Tensor;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.BoundGraph;
import dev.wukong.runtime.device.BoundGraph.Binding;
import dev.wukong.runtime.device.DeviceBuffer;
import dev.wukong.runtime.device.Element;
import dev.wukong.runtime.device.Place;
import dev.wukong.training.StepBorder.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Binds the graphs of a step to where it reads and writes. Owned by the training thread. */
final class StepBinder {
  /**
   * Floats of a vector that a processor updates at a time: those of all vectors, and what is made
   * on the way, stay in its cache. A GPU takes whole vectors.
   */
  private static final long CACHED = 32_768;

  private final StepBody body;
  private final Optional<FlatUpdate> flat;
  private final StepMemory memory;
  private final Device device;

  StepBinder(StepBody body, Optional<FlatUpdate> flat, StepMemory memory, Device device) {
    this.body = body;
    this.flat = flat;
    this.memory = memory;
    this.device = device;
  }

  /**
   * A step from one copy to another.
   *
   * @param on the body
   * @param update of all vectors; null where there are none
   */
  StepRun bind(StepBorder border, BoundGraph on, @Nullable BoundGraph update, int from, int to) {
    Map<String, Place> in = new HashMap<>();
    Map<String, Place> out = new HashMap<>();
    border
        .changing()
        .forEach(
            (name, tensor) -> {
              in.put(name, at(name, tensor, memory.copy(from, name)));
              out.put("new/" + name, at(name, tensor, memory.copy(to, name)));
            });
    border
        .rest()
        .forEach(
            (name, tensor) -> {
              in.put(name, at(name, tensor, memory.single(name)));
              out.put(name, at(name, tensor, memory.single(name)));
            });
    flat.ifPresent(vectors -> handed(border, vectors, out));
    List<Binding> bindings = new ArrayList<>();
    bindings.add(
        on.bind(
            places(body.graph().inputs().stream().map(Tensor::name).toList(), body.inputs(), in),
            places(List.copyOf(body.graph().outputs().keySet()), body.outputs(), out)));
    flat.ifPresent(
        vectors -> bindings.addAll(updates(vectors, Objects.requireNonNull(update), from, to)));
    return new StepRun(bindings);
  }

  /** Places of what the body hands on. */
  private void handed(StepBorder border, FlatUpdate update, Map<String, Place> out) {
    for (String vector : update.given()) {
      for (String weight : update.parts().keySet()) {
        String name = FlatUpdate.member(vector, weight);
        Tensors like = Objects.requireNonNull(border.changing().get(weight), weight);
        out.put(name, at(name, like, memory.single(name)));
      }
    }
    Tensors scalar = new Tensors(Element.FLOAT32, new long[0]);
    update.scalars().forEach(name -> out.put(name, at(name, scalar, memory.single(name))));
  }

  /** The update of all vectors, by parts. */
  private List<Binding> updates(FlatUpdate flat, BoundGraph on, int from, int to) {
    long most =
        switch (device) {
          case Device.Cpu() -> CACHED;
          case Device.Cuda _ -> flat.length();
        };
    List<Binding> bindings = new ArrayList<>();
    for (long start = 0; start < flat.length(); start += most) {
      long count = Math.min(most, flat.length() - start);
      List<Place> in = new ArrayList<>();
      List<Place> out = new ArrayList<>();
      for (String vector : flat.kept()) {
        in.add(part(vector, memory.copy(from, vector), start, count));
        out.add(part("new/" + vector, memory.copy(to, vector), start, count));
      }
      for (String vector : flat.given()) {
        in.add(part(vector, memory.single(vector), start, count));
      }
      for (String name : flat.scalars()) {
        in.add(new Place(name, Element.FLOAT32, new long[0], memory.single(name)));
      }
      bindings.add(on.bind(in, out));
    }
    return bindings;
  }

  private static Place part(String name, DeviceBuffer vector, long start, long count) {
    DeviceBuffer own = vector.slice(start * Float.BYTES, count * Float.BYTES);
    return new Place(name, Element.FLOAT32, new long[] {count}, own);
  }

  /** The border of the body as places. */
  private static List<Place> places(
      List<String> names, List<String> contract, Map<String, Place> byContract) {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      Place place = Objects.requireNonNull(byContract.get(contract.get(i)), contract.get(i));
      places.add(new Place(names.get(i), place.element(), place.shape(), place.buffer()));
    }
    return places;
  }

  private static Place at(String name, Tensors tensor, DeviceBuffer buffer) {
    return new Place(name, tensor.element(), tensor.shape(), buffer);
  }
}
